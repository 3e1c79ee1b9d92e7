"""Undoing a changed address: the link of the mail to the old one shows a button (scanners open every link)."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see
from shared.errors import Conflict, Gone

HERE = "/annuler-changement"

router = APIRouter(prefix=HERE, route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("")
async def undo(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens to the account."""
    return web.page(request, "undo_change.html", token=token[:512], refused="" if token else "link_expired")


@router.post("")
async def undone(request: Request, web: WebPages, token: Annotated[str, Form(max_length=512)] = "") -> Response:
    """Undo it. No session opens, the one of this browser is over too."""
    answer = await web.sessions.anonymous(request, "POST", "/account/identifier/undo", {"token": token})
    if answer.ok:
        web.sessions.forget(request)
        return see(f"{HERE}/fait")
    refused = answer.code if answer.code in {"link_used", "identifier_taken"} else "link_expired"
    status = Conflict.status if answer.status == Conflict.status else Gone.status
    return web.page(request, "undo_change.html", status, token="", refused=refused)


@router.get("/fait")
async def done(request: Request, web: WebPages) -> Response:
    """What happened, and what comes next; it says nothing about anybody."""
    return web.page(request, "undo_change_done.html")
