"""« Mot de passe perdu »: the request, always answered alike, and the page behind the mail's link."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages.passwords import NewPassword, field_errors, new_password_errors
from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see
from services.gateway.schemas.account import KnownDevice
from shared import nir
from shared.errors import Conflict, Gone, Malformed

REQUEST, NEW_PASSWORD = "/mot-de-passe-perdu", "/nouveau-mot-de-passe"
LENGTH_WITH_KEY = 15

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

Text = Annotated[str, Form(max_length=254)]


@router.get(REQUEST)
async def lost_password(request: Request, web: WebPages) -> Response:
    """The form."""
    return web.page(request, "lost_password.html", errors={}, identifier="")


@router.post(REQUEST)
async def ask(request: Request, web: WebPages, identifiant: Text = "", securite_sociale: Text = "") -> Response:
    """Ask. What is mistyped is said before asking: the answer itself never tells anything."""
    errors = {} if identifiant.strip() else {"identifiant": "required"}
    if not _is_whole(securite_sociale):
        errors["securite_sociale"] = "invalid" if securite_sociale.strip() else "required"
    if errors:
        return web.page(request, "lost_password.html", 422, errors=errors, identifier=identifiant)
    body = {"identifier": identifiant.strip(), "nir": securite_sociale}
    answer = await web.sessions.anonymous(request, "POST", "/password-resets", body)
    if not answer.ok:
        raise Malformed
    return see(f"{REQUEST}/demande")


@router.get(f"{REQUEST}/demande")
async def asked(request: Request, web: WebPages) -> Response:
    """The same for everybody."""
    return web.page(request, "lost_password_asked.html")


@router.get(NEW_PASSWORD)
async def new_password(request: Request, web: WebPages, token: str = "") -> Response:
    """The form; nothing happens to the account. The token moves from the address bar into a sealed cookie at once."""
    if token:
        web.sessions.hold_link(request, token[:512])
        return see(NEW_PASSWORD)
    if web.sessions.held_link(request) is None:
        return _over(web, request, "link_expired")
    return web.page(request, "new_password.html", errors={})


@router.post(NEW_PASSWORD)
async def set_password(request: Request, web: WebPages, typed: Annotated[NewPassword, Form()]) -> Response:
    """Set it. No session opens, the one of this browser is over too, and the browser is known from now on."""
    token = web.sessions.held_link(request)
    if token is None:
        return _over(web, request, "link_expired")
    errors = new_password_errors(typed)
    if errors:
        return web.page(request, "new_password.html", 422, errors=errors)
    body = {"token": token, "new_password": typed.nouveau_mot_de_passe}
    answer = await web.sessions.anonymous(request, "POST", "/password-resets/confirmation", body)
    if answer.code in {"link_used", "link_expired"}:
        return _over(web, request, answer.code)
    if not answer.ok:
        errors = field_errors(answer, {}, "nouveau_mot_de_passe")
        return web.page(request, "new_password.html", 422, errors=errors)
    web.sessions.drop_link(request)
    web.sessions.forget(request)
    web.sessions.know_device(request, KnownDevice.model_validate(answer.body).device_token)
    return see(f"{NEW_PASSWORD}/fait")


@router.get(f"{NEW_PASSWORD}/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened, and the way in; it says nothing about anybody."""
    return web.page(request, "new_password_done.html")


def _over(web: WebPages, request: Request, code: str) -> Response:
    web.sessions.drop_link(request)
    status = Conflict.status if code == "link_used" else Gone.status
    return web.page(request, "link_over.html", status, code=code)


def _is_whole(text: str) -> bool:
    """Whether it is a NIR with its key: 15 characters that fit."""
    try:
        nir.normalise(text)
    except nir.InvalidNir:
        return False
    return sum(character.isalnum() for character in text) == LENGTH_WITH_KEY
