"""The portal's front door: the choice of a space, sign in, sign out, the cookie notice."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.gateway.device_names import device_name
from services.gateway.pages.code_page import code_page
from services.gateway.pages.keeping import KeptRoute, keeper
from services.gateway.pages.sign_in_page import COOKIES_KNOWN, Block, sign_in_page
from services.gateway.pages.web import FIRST_STEPS, LONGEST_PATH, CheckedForm, WebPages, due_step, local_path, see
from services.gateway.passkeys import credential
from services.gateway.schemas.account import SignedIn
from services.gateway.upstream import Answer, Json
from services.gateway.web_session import WebSession
from shared.clock import now

AFTER_SIGN_IN = "/accueil"

router = APIRouter(route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)

Path = Annotated[str, Form(max_length=LONGEST_PATH)]


@router.get("/")
async def home(request: Request, web: WebPages, suite: str = "") -> Response:
    """The sign-in box; who is signed in already goes on."""
    await web.sessions.end_if_over(request)
    session, suite = web.sessions.noted(request), local_path(suite, "")
    if session:
        return see(due_step(session, suite) if session.required_actions else suite or AFTER_SIGN_IN)
    return sign_in_page(web, request, suite=suite)


class SigningIn(BaseModel):
    """The sign-in box as typed. `suite`: where to go then. `garde`: the sealed draft of a form to show again.

    `cle`: what a passkey answered, by the page's script; then identifier and password count for nothing.
    """

    identifiant: str = Field("", max_length=254)
    mot_de_passe: str = Field("", max_length=1024, repr=False)
    cle: str = Field("", repr=False)
    suite: str = Field("", max_length=LONGEST_PATH)
    appareil_personnel: bool = False
    garde: str = ""

    @property
    def missing(self) -> list[str]:
        """Fields left empty."""
        if self.cle:
            return []
        typed = {"identifiant": self.identifiant.strip(), "mot_de_passe": self.mot_de_passe}
        return [name for name, text in typed.items() if not text]


@router.post("/")
async def sign_in(request: Request, web: WebPages, typed: Annotated[SigningIn, Form()]) -> Response:
    """Sign in, then go where the reader was going, or to the step the account asks for first."""
    again = {
        "suite": local_path(typed.suite, ""),
        "identifier": typed.identifiant,
        "trusted": typed.appareil_personnel,
        "garde": typed.garde,
    }
    if typed.missing:
        return sign_in_page(web, request, 422, missing=typed.missing, **again)
    proof: Json = {"identifier": typed.identifiant.strip(), "password": typed.mot_de_passe}
    body = ({"credential": credential(typed.cle)} if typed.cle else proof) | {
        "device_tokens": web.sessions.kept.device_tokens(request),
        "device_name": device_name(request.headers.get("user-agent", ""), web.says(request)),
        "trust_device": typed.appareil_personnel,
    }
    path = "/session/passkey" if typed.cle else "/session"
    answer = await web.sessions.anonymous(request, "POST", path, body)
    if not answer.ok:
        return _refused(web, request, answer, again)
    session = await web.sessions.open(request, SignedIn.model_validate(answer.body), trusted=typed.appareil_personnel)
    return await onwards(web, request, session, suite=local_path(typed.suite, ""), garde=typed.garde)


async def onwards(web: WebPages, request: Request, session: WebSession, *, suite: str, garde: str) -> Response:
    """The step that is due; else the form that was kept for this member; else the page that was asked for."""
    draft = keeper(request).open(garde)
    if session.is_half:  # a kept form goes along: it is too long for an address
        return code_page(web, request, suite=suite, garde=garde) if draft else see(due_step(session, suite))
    if session.required_actions and not (draft and draft.action.startswith(FIRST_STEPS)):
        return see(FIRST_STEPS)
    if draft is None:
        return see(suite or AFTER_SIGN_IN)
    if draft.member != session.member:
        return see(FIRST_STEPS if session.required_actions else AFTER_SIGN_IN)
    return await keeper(request).show(request, session, draft, "back")


@router.post("/deconnexion")
async def sign_out(request: Request, web: WebPages) -> Response:
    """Close the session everywhere it is known, then back to the home page."""
    await web.sessions.close(request)
    return see("/")


@router.post("/cookies")
async def cookies_known(request: Request, web: WebPages, suite: Path = "") -> Response:
    """The notice was read: it stays away as long as this browser keeps its session cookies."""
    web.cookies.set(request, COOKIES_KNOWN, "1")
    suite = local_path(suite, "")
    return see(f"/?suite={quote(suite, safe='')}" if suite else "/")


def _refused(web: WebPages, request: Request, answer: Answer, again: Mapping[str, Any]) -> Response:
    """What auth said, in plain words; the identifier survives, the password never does."""
    if answer.code == "sign_in_closed":
        return sign_in_page(web, request, answer.status, closed=True, **again)
    if answer.code == "passkey_refused":
        return sign_in_page(web, request, 422, passkey_refused=True, **again)
    attempts_left = int(answer.body.get("attempts_left") or 0)
    until = answer.retry_at if answer.status == 429 or attempts_left == 0 else None
    status = answer.status if answer.status == 429 else 422
    block = Block(until, now()) if until else None
    return sign_in_page(web, request, status, attempts_left=attempts_left, block=block, **again)
