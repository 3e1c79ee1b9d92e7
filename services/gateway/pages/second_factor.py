"""The second half of a sign-in: a code of the app, or a recovery code."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.code_page import code_page
from services.gateway.pages.home import AFTER_SIGN_IN, onwards
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.passwords import Refused, field_errors
from services.gateway.pages.web import CODE, LONGEST_PATH, CheckedForm, SignedIn, WebPages, local_path, see
from services.gateway.web_session import WebSession
from shared.errors import TooManyRequests

router = APIRouter(route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


class Typed(BaseModel):
    """The form. `secours`: the code is a recovery code. `autre`: the other kind is wanted, nothing was typed.

    `suite`: where to go then. `garde`: the sealed draft of a form to show again.
    """

    code: str = Field("", max_length=64, repr=False)
    secours: bool = False
    autre: bool = False
    suite: str = Field("", max_length=LONGEST_PATH)
    garde: str = ""


@router.get(CODE)
async def code(request: Request, web: WebPages, session: SignedIn, suite: str = "") -> Response:
    """The form."""
    suite = local_path(suite, "")
    return code_page(web, request, suite=suite) if session.is_half else see(suite or AFTER_SIGN_IN)


@router.post(CODE)
async def shown(request: Request, web: WebPages, session: SignedIn, typed: Annotated[Typed, Form()]) -> Response:
    """Complete the sign-in, then go where it was going."""
    suite, secours = local_path(typed.suite, ""), typed.secours
    if typed.autre:
        return code_page(web, request, suite=suite, garde=typed.garde, with_recovery_code=not secours)
    refused = await _shown(web, request, session, typed)
    if refused:
        return code_page(web, request, refused, suite=suite, garde=typed.garde, with_recovery_code=secours)
    session = await web.sessions.renew(request, session)  # the new token no longer asks for it
    return await onwards(web, request, session, suite=suite, garde=typed.garde)


async def show(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The form, empty; on from it where the code was shown meanwhile."""
    suite = local_path(draft.typed.get("suite", ""), "")
    return code_page(web, request, suite=suite) if session.is_half else see(suite or AFTER_SIGN_IN)


async def _shown(web: WebPages, request: Request, session: WebSession, typed: Typed) -> Refused | None:
    """Show the code to auth; `None` when it was right."""
    if not typed.code.strip():
        return Refused({"code": "required"})
    body = {"recovery_code" if typed.secours else "code": typed.code}
    answer = await web.sessions.call(request, session, "POST", "auth", "/session/second-factor", body=body)
    if answer.ok:
        return None
    if answer.status == TooManyRequests.status:
        return Refused({"code": answer.code}, blocked_until=answer.retry_at)
    errors = field_errors(answer, {}, "code")
    return Refused(errors, int(answer.body.get("attempts_left") or 0), answer.retry_at)
