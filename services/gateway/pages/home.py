"""The portal's front door: the choice of a space, sign in, sign out, the cookie notice."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, local_path, see
from services.gateway.schemas.account import SignedIn
from services.gateway.upstream import Answer

AFTER_SIGN_IN = "/accueil"

_COOKIES_KNOWN = "cookies_known"

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

Text = Annotated[str, Form(max_length=254)]
Password = Annotated[str, Form(max_length=1024)]
Path = Annotated[str, Form(max_length=500)]


@router.get("/")
async def home(request: Request, web: WebPages, suite: str = "") -> Response:
    """The sign-in box; who is signed in already goes on."""
    session, suite = web.sessions.peek(request), local_path(suite, "")
    if session:
        return see("/premiere-connexion" if session.required_actions else suite or AFTER_SIGN_IN)
    return _sign_in_page(web, request, suite=suite)


@router.post("/")
async def sign_in(
    request: Request, web: WebPages, identifiant: Text = "", mot_de_passe: Password = "", suite: Path = ""
) -> Response:
    """Sign in, then go where the reader was going, or to the step the account asks for first."""
    suite = local_path(suite, "")
    missing = [
        name for name, typed in (("identifiant", identifiant.strip()), ("mot_de_passe", mot_de_passe)) if not typed
    ]
    if missing:
        return _sign_in_page(web, request, 422, suite=suite, identifier=identifiant, missing=missing)
    body = {
        "identifier": identifiant.strip(),
        "password": mot_de_passe,
        "device_token": web.sessions.device_token(request),
    }
    answer = await web.sessions.anonymous(request, "POST", "/session", body)
    if not answer.ok:
        return _refused(web, request, answer, suite=suite, identifier=identifiant)
    session = web.sessions.open(request, SignedIn.model_validate(answer.body))
    return see("/premiere-connexion" if session.required_actions else suite or AFTER_SIGN_IN)


@router.post("/deconnexion")
async def sign_out(request: Request, web: WebPages) -> Response:
    """Close the session everywhere it is known, then back to the home page."""
    await web.sessions.close(request)
    return see("/")


@router.post("/cookies")
async def cookies_known(request: Request, web: WebPages, suite: Path = "") -> Response:
    """The notice was read: it stays away as long as this browser keeps its session cookies."""
    web.cookies.set(request, _COOKIES_KNOWN, "1")
    suite = local_path(suite, "")
    return see(f"/?suite={quote(suite, safe='')}" if suite else "/")


def _refused(web: WebPages, request: Request, answer: Answer, **typed: str) -> Response:
    """What auth said, in plain words; the identifier survives, the password never does."""
    attempts_left = int(answer.body.get("attempts_left") or 0)
    blocked_until = answer.retry_at if answer.status == 429 or attempts_left == 0 else None
    status = answer.status if answer.status == 429 else 422
    return _sign_in_page(web, request, status, attempts_left=attempts_left, blocked_until=blocked_until, **typed)


def _sign_in_page(web: WebPages, request: Request, status: int = 200, **context: Any) -> Response:
    state: dict[str, Any] = {"suite": "", "identifier": "", "missing": [], "attempts_left": None, "blocked_until": None}
    known = web.cookies.get(request, _COOKIES_KNOWN) is not None
    return web.page(request, "home.html", status, cookies_known=known, **(state | context))
