"""Mon compte: who the member is to us, how they sign in, and what may be mailed to them."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages import words
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.passwords import PasswordChange, Refused, change_page, changed
from services.gateway.pages.web import CheckedForm, SignedIn, WebPages, see
from services.gateway.pages.words import Language
from services.gateway.schemas.account import Account, Consents, PasswordLength, Preferences
from services.gateway.upstream import Json
from services.gateway.web_session import WebSession
from shared.errors import Malformed, RequiredAction, Unavailable

HERE = "/compte"

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


class MailChoice(BaseModel):
    """The form of the mails: a box that is not ticked is not sent; a language that is not sent stays as it is."""

    decomptes: bool = False
    informations: bool = False
    langue: Language | None = None


@router.get("")
async def account(request: Request, web: WebPages, session: SignedIn, fait: str = "") -> Response:
    """The account as it is now. `fait`: what was just done."""
    return await _account(web, request, session, done=fait)


async def show_mails(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The account with the choice of mails that was kept, not yet saved."""
    choice = MailChoice.model_validate(draft.typed)
    consents = Consents(statements=choice.decomptes, management_information=choice.informations)
    kept = Preferences(consents=consents, language=choice.langue or words.SOURCE)
    return await _account(web, request, session, kept=kept)


async def show_password(web: WebPages, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The form of a new password, empty: no password is kept."""
    return await _password_page(web, request, session)


async def _password_page(
    web: WebPages, request: Request, session: WebSession, refused: Refused | None = None
) -> Response:
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    least = PasswordLength.model_validate(answer.body).password_min_length
    return change_page(web, request, refused, first=False, least=least)


async def _account(
    web: WebPages, request: Request, session: WebSession, *, done: str = "", kept: Preferences | None = None
) -> Response:
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    member = Account.model_validate(answer.body)
    if member.required_actions:
        raise RequiredAction
    preferences = kept or await _preferences(web, request, session)
    return web.page(request, "account.html", account=member, preferences=preferences, done=done)


async def _preferences(web: WebPages, request: Request, session: WebSession) -> Preferences | None:
    """None while notifications is away: the rest of the page does not need it."""
    try:
        answer = await web.sessions.call(request, session, "GET", "notifications", "/preferences")
    except Unavailable:
        return None
    return Preferences.model_validate(answer.body)


@router.post("/mails")
async def change_mails(
    request: Request, web: WebPages, session: SignedIn, choice: Annotated[MailChoice, Form()]
) -> Response:
    """What may be mailed from now on, and in which language."""
    consents = {"statements": choice.decomptes, "management_information": choice.informations}
    body: Json = {"consents": consents, "language": choice.langue}
    answer = await web.sessions.call(request, session, "PATCH", "notifications", "/preferences", body=body)
    if not answer.ok:
        raise Malformed
    return see(f"{HERE}?fait=mails")


@router.get("/mot-de-passe")
async def password(request: Request, web: WebPages, session: SignedIn) -> Response:
    """The form of a new password."""
    return await _password_page(web, request, session)


@router.post("/mot-de-passe")
async def change_password(
    request: Request, web: WebPages, session: SignedIn, typed: Annotated[PasswordChange, Form()]
) -> Response:
    """Change it; this session goes on, the others end."""
    refused = await changed(web, request, session, typed)
    if refused:
        return await _password_page(web, request, session, refused)
    return see(f"{HERE}?fait=mot-de-passe")
