"""The link of the mail about a new device: it shows a button (scanners open every link), the button closes."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages import mailed_link
from services.gateway.pages.mailed_link import LinkToken
from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see

HERE = "/fermer-session"

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get(HERE)
async def ask(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens to the account."""
    return mailed_link.button(web, request, "close_device.html", token)


@router.post(HERE)
async def close(request: Request, web: WebPages, token: LinkToken = "") -> Response:
    """Close that device's sessions and have a new password on its way. The token leaves the address bar."""
    answer = await web.sessions.anonymous(request, "POST", "/sessions/closures", {"token": token})
    if answer.ok:
        return see(f"{HERE}/fait")
    return mailed_link.refused(web, request, "close_device.html", answer)


@router.get(f"{HERE}/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened and what comes; it says nothing about anybody."""
    return web.page(request, "close_device_done.html")
