"""The link of the mail about a new device: it shows a button (scanners open every link), the button closes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, PageRoute, Web, WebPages, see
from shared.errors import Conflict, Gone

HERE = "/fermer-session"

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get(HERE)
async def ask(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens to the account."""
    return _page(web, request, token=token[:512]) if token else _page(web, request, refused="link_expired")


@router.post(HERE)
async def close(request: Request, web: WebPages, token: Annotated[str, Form(max_length=512)] = "") -> Response:
    """Close that device's sessions and have a new password on its way. The token leaves the address bar."""
    answer = await web.sessions.anonymous(request, "POST", "/sessions/closures", {"token": token})
    if answer.ok:
        return see(f"{HERE}/fait")
    return _page(web, request, refused="link_used" if answer.code == "link_used" else "link_expired")


@router.get(f"{HERE}/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened and what comes; it says nothing about anybody."""
    return web.page(request, "close_device_done.html")


def _page(web: Web, request: Request, *, token: str = "", refused: str = "") -> Response:
    status = {"": 200, "link_used": Conflict.status, "link_expired": Gone.status}[refused]
    return web.page(request, "close_device.html", status, token=token, refused=refused)
