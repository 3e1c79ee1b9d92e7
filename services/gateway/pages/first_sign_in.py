"""First sign-in: choose an identifier and a password (the seed makes it obligatory), then confirm the address."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import Field
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.home import AFTER_SIGN_IN
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.passwords import (
    NewPassword,
    PasswordChange,
    change_page,
    changed,
    field_errors,
    new_password_errors,
)
from services.gateway.pages.web import CheckedForm, SignedIn, WebPages, see
from services.gateway.schemas.account import Account
from services.gateway.upstream import Answer, Json
from services.gateway.web_session import WebSession
from shared.errors import TooManyRequests

HERE = "/premiere-connexion"

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


class Choice(NewPassword):
    """The form as typed; both consents unticked at first (seed)."""

    choix: str = "email"
    email: str = Field("", max_length=254)
    decomptes: bool = False
    informations: bool = False

    @property
    def wants_email(self) -> bool:
        """Whether the e-mail address was chosen."""
        return self.choix == "email"


@router.get("")
async def first_sign_in(
    request: Request, web: WebPages, session: SignedIn, choix: bool = False, renvoi: str = ""
) -> Response:
    """The step that the account asks for; once nothing is left, on to the reimbursements."""
    account = await _account(web, request, session)
    if not account.required_actions:
        await web.sessions.renew(request, session)  # the new token no longer lists the action
        return see(AFTER_SIGN_IN)
    if "confirm_identifier" in account.required_actions and not choix:
        return web.page(request, "confirm_address.html", account=account, sent_again=renvoi)
    if account.required_actions == ("choose_password",):
        return change_page(web, request, first=True)
    return _choice_page(web, request, account, Choice(), {})


@router.post("/mot-de-passe")
async def choose_password(
    request: Request, web: WebPages, session: SignedIn, typed: Annotated[PasswordChange, Form()]
) -> Response:
    """A password of one's own in the place of a letter's, when that alone is missing."""
    refused = await changed(web, request, session, typed)
    if refused:
        return change_page(web, request, refused, first=True)
    await web.sessions.renew(request, session)
    return see(AFTER_SIGN_IN)


@router.post("")
async def choose(request: Request, web: WebPages, session: SignedIn, choice: Annotated[Choice, Form()]) -> Response:
    """Take the choice; what was typed survives an error, passwords excepted."""
    account = await _account(web, request, session)
    errors = _missing(account, choice)
    if errors:
        return _choice_page(web, request, account, choice, errors)
    body = _command(account, choice)
    answer = await web.sessions.call(request, session, "POST", "auth", "/account/identifier", body=body)
    if not answer.ok:
        return _choice_page(web, request, account, choice, _refusals(answer))
    await web.sessions.renew(request, session)
    return see(HERE if answer.body.get("status") == "activation_sent" else "/identifiant-valide")


@router.post("/renvoyer")
async def send_again(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Another mail for the same request; the links sent before stay valid."""
    answer = await web.sessions.call(request, session, "POST", "auth", "/account/identifier/activation/resend")
    if answer.ok:
        return see(f"{HERE}?renvoi=fait")
    return see(f"{HERE}?renvoi=trop" if answer.status == TooManyRequests.status else HERE)


async def show(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The step that is due, with the choice that was kept: never a password."""
    account = await _account(web, request, session)
    if not account.required_actions:
        return see(AFTER_SIGN_IN)
    if account.required_actions == ("choose_password",):
        return change_page(web, request, first=True)
    choice = Choice(
        choix=draft.typed.get("choix", "email"),
        email=draft.typed.get("email", "")[:254],
        decomptes="decomptes" in draft.typed,
        informations="informations" in draft.typed,
    )
    return _choice_page(web, request, account, choice, {})


async def _account(web: WebPages, request: Request, session: WebSession) -> Account:
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    return Account.model_validate(answer.body)


def _asks_password(account: Account) -> bool:
    return "choose_password" in account.required_actions


def _missing(account: Account, choice: Choice) -> dict[str, str]:
    """What can be seen without asking auth: nothing chosen, nothing typed, typed differently the second time."""
    errors = {}
    if choice.choix not in {"email", "member_number"}:
        errors["choix"] = "required"
    if choice.wants_email and not choice.email.strip() and not account.email_masked:
        errors["email"] = "required"
    return errors | (new_password_errors(choice) if _asks_password(account) else {})


def _command(account: Account, choice: Choice) -> Json:
    consents = {"statements": choice.decomptes, "management_information": choice.informations}
    body: Json = {"kind": choice.choix, "consents": consents}
    if choice.wants_email and choice.email.strip():
        body["email"] = choice.email.strip()
    if _asks_password(account):
        body["new_password"] = choice.nouveau_mot_de_passe
    return body


_FIELDS = {"email": "email", "kind": "choix", "new_password": "nouveau_mot_de_passe"}


def _refusals(answer: Answer) -> dict[str, str]:
    """auth's errors by field of the form; the first of each field is shown."""
    if answer.code == TooManyRequests.code:
        return {"email": answer.code}
    return field_errors(answer, _FIELDS, "choix")


def _choice_page(web: WebPages, request: Request, account: Account, choice: Choice, errors: dict[str, str]) -> Response:
    return web.page(
        request,
        "first_sign_in.html",
        422 if errors else 200,
        account=account,
        asks_password=_asks_password(account),
        errors=errors,
        choice=choice,
    )
