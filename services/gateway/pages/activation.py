"""Activation of the chosen address: the mail's link shows a button (scanners open every link), the button activates."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages import mailed_link
from services.gateway.pages.mailed_link import LinkToken
from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("/activation")
async def activation(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens to the account."""
    return mailed_link.button(web, request, "activation.html", token)


@router.post("/activation")
async def activate(request: Request, web: WebPages, token: LinkToken = "") -> Response:
    """Activate. No session opens, and the token leaves the address bar."""
    answer = await web.sessions.anonymous(request, "POST", "/account/identifier/activation", {"token": token})
    if answer.ok:
        return see("/identifiant-valide")
    return mailed_link.refused(web, request, "activation.html", answer)


@router.get("/identifiant-valide")
async def validated(request: Request, web: WebPages) -> Response:
    """The seed's page after the choice took effect; it says nothing about anybody."""
    return web.page(request, "validated.html")
