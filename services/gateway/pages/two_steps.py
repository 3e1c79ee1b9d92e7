"""Validation en deux étapes: turned on with an app, turned off, recovery codes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway import qr
from services.gateway.drafts import Draft
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.passwords import field_errors
from services.gateway.pages.web import CheckedForm, SignedIn, Web, WebPages, see
from services.gateway.schemas.account import Account, CodesLeft, RecoveryCodes, TwoSteps, TwoStepsSetup
from services.gateway.web_session import WebSession
from shared.clock import now
from shared.errors import Conflict, Malformed, NotFound, StepUpRequired

HERE = "/compte/deux-etapes"
_TOTP, _CODES = "/account/totp", "/account/recovery-codes"

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)

Code = Annotated[str, Form(max_length=64)]


@router.get("")
async def state(request: Request, web: WebPages, session: SignedIn, fait: str = "") -> Response:
    """Whether it is on. `fait`: what was just done."""
    answer = await web.sessions.call(request, session, "GET", "auth", _TOTP)
    two_steps, left = TwoSteps.model_validate(answer.body), 0
    if two_steps.enabled:
        codes = await web.sessions.call(request, session, "GET", "auth", _CODES)
        left = CodesLeft.model_validate(codes.body).left
    return web.page(request, "two_steps.html", two_steps=two_steps, left=left, done=fait)


@router.get("/activer")
async def setup(request: Request, web: WebPages, session: SignedIn) -> Response:
    """The secret to hand to an app, and the field for its first code. auth gives the same secret for ten minutes."""
    return await _setup(web, request, session)


@router.post("/activer")
async def turn_on(request: Request, web: WebPages, session: SignedIn, code: Code = "") -> Response:
    """Turn it on, and show the recovery codes: this once."""
    if not code.strip():
        return await _setup(web, request, session, "required")
    answer = await web.sessions.call(request, session, "POST", "auth", _TOTP, body={"code": code})
    if answer.ok:
        return _codes_page(web, request, RecoveryCodes.model_validate(answer.body), turned_on=True)
    if answer.status == Conflict.status:  # too late, or a page that was sent twice
        return see(f"{HERE}?fait=encore")
    return await _setup(web, request, session, field_errors(answer, {}, "code")["code"])


@router.get("/codes")
async def ask_new_codes(request: Request, web: WebPages, session: SignedIn) -> Response:
    """What new codes mean, and the button."""
    return await _ask(web, request, session, "codes")


@router.post("/codes")
async def new_codes(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Ten new ones, shown this once."""
    answer = await web.sessions.call(request, session, "POST", "auth", _CODES)
    if answer.status == NotFound.status:
        return see(HERE)
    if not answer.ok:
        raise Malformed
    return _codes_page(web, request, RecoveryCodes.model_validate(answer.body), turned_on=False)


@router.get("/desactiver")
async def ask_off(request: Request, web: WebPages, session: SignedIn) -> Response:
    """What it means, and the button."""
    return await _ask(web, request, session, "off")


@router.post("/desactiver")
async def turn_off(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Turn it off; not while the password is too short to stand alone."""
    answer = await web.sessions.call(request, session, "DELETE", "auth", _TOTP)
    if answer.code == "password_too_short":
        return web.page(request, "two_steps_ask.html", answer.status, what="off", too_short=True)
    return see(f"{HERE}?fait=desactivee" if answer.ok else HERE)


async def show_setup(web: Web, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The secret again, and an empty field."""
    return await _setup(web, request, session)


async def show_codes(web: Web, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The button for new codes again."""
    return await _ask(web, request, session, "codes")


async def show_off(web: Web, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The button that turns it off again."""
    return await _ask(web, request, session, "off")


async def _setup(web: Web, request: Request, session: WebSession, error: str = "") -> Response:
    answer = await web.sessions.call(request, session, "POST", "auth", _TOTP, body={})
    begun = TwoStepsSetup.model_validate(answer.body)
    groups = [begun.secret[i : i + 4] for i in range(0, len(begun.secret), 4)]
    context = {"picture": qr.qr_code(begun.uri), "uri": begun.uri, "groups": groups, "error": error}
    return web.page(request, "two_steps_setup.html", 422 if error else 200, **context)


async def _ask(web: Web, request: Request, session: WebSession, what: str) -> Response:
    """The page of a button that asks for the password first: nothing is pressed in vain."""
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    account = Account.model_validate(answer.body)
    if account.confirmed_until is None or account.confirmed_until <= now():
        raise StepUpRequired
    return web.page(request, "two_steps_ask.html", what=what, too_short=False)


def _codes_page(web: Web, request: Request, shown: RecoveryCodes, *, turned_on: bool) -> Response:
    return web.page(request, "recovery_codes.html", codes=shown.recovery_codes, turned_on=turned_on)
