"""The form of a new password, wherever one is chosen, with an idea for it; and of a change of the one in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, Response

from services.gateway.pages.web import PageRoute, Web, WebPages
from services.gateway.upstream import Answer
from services.gateway.web_session import WebSession
from shared.errors import TooManyRequests

LONGEST: Final = 128
"""auth's own bound. A longer one is refused here, so that no form's limit says it without words."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class NewPassword(BaseModel):
    """Typed twice; never shown again. As long as a form may be."""

    nouveau_mot_de_passe: str = Field("", repr=False)
    confirmation: str = Field("", repr=False)


class PasswordChange(NewPassword):
    """With the password in force: one's own, or that of a letter."""

    mot_de_passe_actuel: str = Field("", max_length=1024, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a change was not made: codes by field of the form, and what is left of the tries."""

    errors: Mapping[str, str] = field(default_factory=dict)
    attempts_left: int = 0
    blocked_until: datetime | None = None


@router.get("/mot-de-passe/idee")
async def idea(web: WebPages) -> Response:
    """Another phrase, as plain text: for the script of a form that shows one already. Nobody keeps it."""
    return PlainTextResponse(web.passphrases.draw(), headers={"cache-control": "no-store"})


def new_password_errors(typed: NewPassword) -> dict[str, str]:
    """What can be seen without asking auth."""
    if not typed.nouveau_mot_de_passe:
        return {"nouveau_mot_de_passe": "required"}
    if len(typed.nouveau_mot_de_passe) > LONGEST:
        return {"nouveau_mot_de_passe": "too_long"}
    return {"confirmation": "different"} if typed.nouveau_mot_de_passe != typed.confirmation else {}


def field_errors(answer: Answer, fields: Mapping[str, str], otherwise: str) -> dict[str, str]:
    """auth's errors by field of the form, `otherwise` where it has none; the first of each field is shown."""
    errors: dict[str, str] = {}
    for error in answer.body.get("errors", []):
        errors.setdefault(fields.get(str(error.get("field")), otherwise), str(error.get("code")))
    return errors or {otherwise: answer.code}


async def changed(web: Web, request: Request, session: WebSession, typed: PasswordChange) -> Refused | None:
    """Change the password in force; `None` when that is done."""
    missing = {} if typed.mot_de_passe_actuel else {"mot_de_passe_actuel": "required"}
    errors = missing | new_password_errors(typed)
    if errors:
        return Refused(errors)
    body = {"current_password": typed.mot_de_passe_actuel, "new_password": typed.nouveau_mot_de_passe}
    answer = await web.sessions.call(request, session, "POST", "auth", "/account/password", body=body)
    if answer.ok:
        return None
    if answer.status == TooManyRequests.status:
        return Refused({"mot_de_passe_actuel": answer.code}, blocked_until=answer.retry_at)
    fields = {"current_password": "mot_de_passe_actuel"}
    errors = field_errors(answer, fields, "nouveau_mot_de_passe")
    return Refused(errors, int(answer.body.get("attempts_left") or 0), answer.retry_at)


def change_page(
    web: Web, request: Request, refused: Refused | None = None, *, first: bool, least: int | None = None
) -> Response:
    """The form. `first`: the password in force is a letter's, and nothing else can be done before.

    `least`: how many characters it takes, where auth said so for this member.
    """
    context = {"password_min_length": least} if least else {}
    status = 422 if refused else 200
    return web.page(request, "change_password.html", status, refused=refused or Refused(), first=first, **context)
