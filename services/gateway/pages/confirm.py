"""Asking for the password or a passkey again, and going on where that was needed."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.confirm_page import confirm_page
from services.gateway.pages.keeping import KeptRoute, keeper
from services.gateway.pages.passwords import Refused, field_errors
from services.gateway.pages.web import CONFIRM, LONGEST_PATH, CheckedForm, SignedIn, WebPages, local_path, see
from services.gateway.passkeys import credential
from services.gateway.upstream import Json
from services.gateway.web_session import WebSession
from shared.errors import TooManyRequests

ACCOUNT = "/compte"

router = APIRouter(route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


class Confirmation(BaseModel):
    """The form. `suite`: where to go then. `garde`: the sealed draft of a form to show again.

    `cle`: what a passkey answered, by the page's script; then the password counts for nothing.
    """

    mot_de_passe: str = Field("", max_length=1024, repr=False)
    cle: str = Field("", repr=False)
    suite: str = Field("", max_length=LONGEST_PATH)
    garde: str = ""


@router.get(CONFIRM)
async def confirm(request: Request, web: WebPages, session: SignedIn, suite: str = "") -> Response:
    """The form."""
    return await confirm_page(web, request, session, suite=local_path(suite, ACCOUNT))


@router.post(CONFIRM)
async def confirmed(
    request: Request, web: WebPages, session: SignedIn, typed: Annotated[Confirmation, Form()]
) -> Response:
    """Confirm this session, then show the form that was kept, else the page that was wanted."""
    suite = local_path(typed.suite, ACCOUNT)
    if not (typed.mot_de_passe or typed.cle):
        refused = Refused({"mot_de_passe": "required"})
        return await confirm_page(web, request, session, refused, suite=suite, garde=typed.garde)
    body: Json = {"passkey": credential(typed.cle)} if typed.cle else {"password": typed.mot_de_passe}
    answer = await web.sessions.call(request, session, "POST", "auth", "/session/step-up", body=body)
    if answer.ok:
        draft = keeper(request).open(typed.garde)
        return await keeper(request).show(request, session, draft, "confirmed") if draft else see(suite)
    if answer.code == "passkey_refused":
        refused = Refused({"cle": answer.code})
    elif answer.status == TooManyRequests.status:
        refused = Refused({"mot_de_passe": answer.code}, blocked_until=answer.retry_at)
    else:
        errors = field_errors(answer, {"password": "mot_de_passe"}, "mot_de_passe")
        refused = Refused(errors, int(answer.body.get("attempts_left") or 0), answer.retry_at)
    return await confirm_page(web, request, session, refused, suite=suite, garde=typed.garde)


async def show(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The form, empty: no password is kept."""
    return await confirm_page(web, request, session, suite=local_path(draft.typed.get("suite", ""), ACCOUNT))
