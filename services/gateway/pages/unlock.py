"""A blocked access: the mail's link shows a button (scanners open every link), the button unlocks."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see
from services.gateway.schemas.account import KnownDevice
from services.gateway.sealed_cookies import LinkCookie
from shared.errors import Conflict, Gone

UNLOCK: Final = "/deblocage"
_COOKIE: Final[LinkCookie] = "unlock_link"

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get(UNLOCK)
async def button(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens yet. The token moves from the address bar into a sealed cookie at once."""
    if token:
        web.sessions.kept.hold_link(request, token[:512], _COOKIE)
        return see(UNLOCK)
    if web.sessions.kept.held_link(request, _COOKIE) is None:
        return web.page(request, "unlock.html", Gone.status, state="link_expired")
    return web.page(request, "unlock.html", state="button")


@router.post(UNLOCK)
async def unlock(request: Request, web: WebPages) -> Response:
    """Unlock. No session opens, and the browser is known from now on."""
    token = web.sessions.kept.held_link(request, _COOKIE)
    if token is None:
        return web.page(request, "unlock.html", Gone.status, state="link_expired")
    answer = await web.sessions.anonymous(request, "POST", "/unlocks", {"token": token})
    web.sessions.kept.drop_link(request, _COOKIE)
    if answer.ok:
        web.sessions.kept.know_device(request, KnownDevice.model_validate(answer.body).device_token)
        return see(f"{UNLOCK}/fait")
    used = answer.code == "link_used"
    status = Conflict.status if used else Gone.status
    return web.page(request, "unlock.html", status, state="link_used" if used else "link_expired")


@router.get(f"{UNLOCK}/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened, and the way in; it says nothing about anybody."""
    return web.page(request, "unlock.html", state="done")
