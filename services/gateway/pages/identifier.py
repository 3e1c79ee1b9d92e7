"""Another identifier or e-mail address, from « Mon compte »: asked for, awaited, given up."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.passwords import field_errors
from services.gateway.pages.web import CheckedForm, SignedIn, WebPages, see
from services.gateway.schemas.account import Account
from services.gateway.upstream import Json
from services.gateway.web_session import WebSession
from shared.clock import now
from shared.errors import RequiredAction, StepUpRequired, TooManyRequests

ACCOUNT = "/compte"
HERE = f"{ACCOUNT}/identifiant"

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


class Wish(BaseModel):
    """The form as typed."""

    choix: str = ""
    email: str = Field("", max_length=254)

    @property
    def wants_email(self) -> bool:
        """Whether the e-mail address was chosen."""
        return self.choix == "email"


@router.get("")
async def identifier(request: Request, web: WebPages, session: SignedIn, choix: str = "email") -> Response:
    """The form, once the password was asked again: nothing is typed in vain. `choix`: what is ticked."""
    account = await _account(web, request, session)
    if account.confirmed_until is None or account.confirmed_until <= now():
        raise StepUpRequired
    return _page(web, request, account, Wish(choix=choix), {})


@router.post("")
async def change(request: Request, web: WebPages, session: SignedIn, wish: Annotated[Wish, Form()]) -> Response:
    """Ask for it: the member number is in force at once, an address once its mail was answered."""
    account = await _account(web, request, session)
    errors = _missing(account, wish)
    if errors:
        return _page(web, request, account, wish, errors)
    body: Json = {"kind": wish.choix}
    if wish.wants_email and wish.email.strip():
        body["email"] = wish.email.strip()
    answer = await web.sessions.call(request, session, "POST", "auth", "/account/identifier", body=body)
    if answer.ok:
        return see(f"{ACCOUNT}?fait={'adresse' if answer.body.get('status') == 'activation_sent' else 'identifiant'}")
    if answer.status == TooManyRequests.status:
        return _page(web, request, account, wish, {"email": answer.code})
    return _page(web, request, account, wish, field_errors(answer, {"email": "email"}, "choix"))


@router.post("/renvoyer")
async def send_again(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Another mail for the same request; the links sent before stay valid."""
    answer = await web.sessions.call(request, session, "POST", "auth", "/account/identifier/activation/resend")
    if answer.ok:
        return see(f"{ACCOUNT}?fait=renvoi")
    return see(f"{ACCOUNT}?fait=trop" if answer.status == TooManyRequests.status else ACCOUNT)


@router.post("/abandonner")
async def give_up(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Keep what is in force; the links sent are void."""
    answer = await web.sessions.call(request, session, "DELETE", "auth", "/account/identifier/activation")
    return see(f"{ACCOUNT}?fait=abandon" if answer.ok else ACCOUNT)


async def show(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The form with the choice that was kept."""
    account = await _account(web, request, session)
    wish = Wish(choix=draft.typed.get("choix", ""), email=draft.typed.get("email", "")[:254])
    return _page(web, request, account, wish, {})


async def _account(web: WebPages, request: Request, session: WebSession) -> Account:
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    account = Account.model_validate(answer.body)
    if account.required_actions:
        raise RequiredAction
    return account


def _may_keep_address(account: Account) -> bool:
    """Whether the known address can become the identifier: then it need not be typed."""
    return account.identifier_kind != "email" and account.email_masked is not None


def _missing(account: Account, wish: Wish) -> dict[str, str]:
    """What can be seen without asking auth."""
    if wish.choix not in {"email", "member_number"}:
        return {"choix": "required"}
    if wish.wants_email and not wish.email.strip() and not _may_keep_address(account):
        return {"email": "required"}
    return {}


def _page(web: WebPages, request: Request, account: Account, wish: Wish, errors: dict[str, str]) -> Response:
    return web.page(
        request,
        "identifier.html",
        422 if errors else 200,
        account=account,
        may_keep=_may_keep_address(account),
        errors=errors,
        wish=wish,
    )
