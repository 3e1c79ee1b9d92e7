"""Undoing a changed address: the link of the mail to the old one shows a button (scanners open every link)."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages import mailed_link
from services.gateway.pages.mailed_link import LinkToken
from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see

HERE = "/annuler-changement"

router = APIRouter(prefix=HERE, route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("")
async def undo(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens to the account."""
    return mailed_link.button(web, request, "undo_change.html", token)


@router.post("")
async def undone(request: Request, web: WebPages, token: LinkToken = "") -> Response:
    """Undo it. No session opens, the one of this browser is over too."""
    answer = await web.sessions.anonymous(request, "POST", "/account/identifier/undo", {"token": token})
    if answer.ok:
        web.sessions.forget(request)
        return see(f"{HERE}/fait")
    return mailed_link.refused(web, request, "undo_change.html", answer)


@router.get("/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened, and what comes next; it says nothing about anybody."""
    return web.page(request, "undo_change_done.html")
