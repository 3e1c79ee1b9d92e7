"""« Mot de passe perdu »: the request, answered alike; the page behind the mail's link. « Identifiant oublié »."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.gateway.pages.passwords import NewPassword, field_errors, new_password_errors
from services.gateway.pages.web import CheckedForm, PageRoute, Web, WebPages, see
from services.gateway.schemas.account import KnownDevice
from shared import nir
from shared.errors import Conflict, Gone, Invalid, Malformed

REQUEST, NEW_PASSWORD = "/mot-de-passe-perdu", "/nouveau-mot-de-passe"
FORGOTTEN_IDENTIFIER = "/identifiant-oublie"
LENGTH_WITH_KEY = 15

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


class Asking(BaseModel):
    """The request as typed. `altcha`: the answer to a challenge, which the page's script adds; empty without it."""

    identifiant: str = Field("", max_length=254)
    securite_sociale: str = Field("", max_length=254, repr=False)
    robot: bool = False
    altcha: str = Field("", max_length=4096, repr=False)


@router.get(REQUEST)
async def lost_password(request: Request, web: WebPages) -> Response:
    """The form."""
    return _form(web, request, Asking(), {})


@router.post(REQUEST)
async def ask(request: Request, web: WebPages, typed: Annotated[Asking, Form()]) -> Response:
    """Ask. What is mistyped is said before asking: the answer itself never tells anything."""
    errors = _mistyped(typed)
    if errors:
        return _form(web, request, typed, errors)
    body = {"identifier": typed.identifiant.strip(), "nir": typed.securite_sociale}
    if typed.altcha:
        body["altcha"] = typed.altcha
    answer = await web.sessions.anonymous(request, "POST", "/password-resets", body)
    if answer.code == "challenge_failed":
        return _form(web, request, typed, {"robot": "failed" if typed.altcha else "used_up"})
    if not answer.ok:
        raise Malformed
    return see(f"{REQUEST}/demande")


@router.get(f"{REQUEST}/demande")
async def asked(request: Request, web: WebPages) -> Response:
    """The same for everybody."""
    return web.page(request, "lost_password_asked.html")


@router.get(FORGOTTEN_IDENTIFIER)
async def forgotten_identifier(request: Request, web: WebPages) -> Response:
    """What an identifier can be and where it stands. Nothing is looked up."""
    return web.page(request, "forgotten_identifier.html")


@router.get(NEW_PASSWORD)
async def new_password(request: Request, web: WebPages, token: str = "") -> Response:
    """The form; nothing happens to the account. The token moves from the address bar into a sealed cookie at once."""
    if token:
        web.sessions.kept.hold_link(request, token[:512])
        return see(NEW_PASSWORD)
    if web.sessions.kept.held_link(request) is None:
        return _over(web, request, "link_expired")
    return web.page(request, "new_password.html", errors={})


@router.post(NEW_PASSWORD)
async def set_password(request: Request, web: WebPages, typed: Annotated[NewPassword, Form()]) -> Response:
    """Set it. No session opens, the one of this browser is over too, and the browser is known from now on."""
    token = web.sessions.kept.held_link(request)
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
    web.sessions.kept.drop_link(request)
    web.sessions.forget(request)
    web.sessions.kept.know_device(request, KnownDevice.model_validate(answer.body).device_token)
    return see(f"{NEW_PASSWORD}/fait")


@router.get(f"{NEW_PASSWORD}/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened, and the way in; it says nothing about anybody."""
    return web.page(request, "new_password_done.html")


def _form(web: Web, request: Request, typed: Asking, errors: dict[str, str]) -> Response:
    """The form; the number is typed again. A box that was ticked stays so: the script answers a new challenge."""
    status = Invalid.status if errors else HTTPStatus.OK
    context = {"errors": errors, "identifier": typed.identifiant, "ticked": typed.robot}
    return web.page(request, "lost_password.html", status, **context)


def _mistyped(typed: Asking) -> dict[str, str]:
    """What is wrong, by field."""
    errors = {} if typed.identifiant.strip() else {"identifiant": "required"}
    if not _is_whole(typed.securite_sociale):
        errors["securite_sociale"] = "invalid" if typed.securite_sociale.strip() else "required"
    if not typed.robot:
        errors["robot"] = "unticked"
    return errors


def _over(web: WebPages, request: Request, code: str) -> Response:
    web.sessions.kept.drop_link(request)
    status = Conflict.status if code == "link_used" else Gone.status
    return web.page(request, "link_over.html", status, code=code)


def _is_whole(text: str) -> bool:
    """Whether it is a NIR with its key: 15 characters that fit."""
    try:
        nir.normalise(text)
    except nir.InvalidNir:
        return False
    return sum(character.isalnum() for character in text) == LENGTH_WITH_KEY
