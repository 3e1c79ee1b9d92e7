"""Activation of the chosen address: the mail's link shows a button (scanners open every link), the button activates."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, see

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("/activation")
async def activation(request: Request, web: WebPages, token: str = "") -> Response:
    """The button; nothing happens to the account."""
    return web.page(request, "activation.html", token=token[:512], refused="" if token else "link_expired")


@router.post("/activation")
async def activate(request: Request, web: WebPages, token: Annotated[str, Form(max_length=512)] = "") -> Response:
    """Activate. No session opens, and the token leaves the address bar."""
    answer = await web.sessions.anonymous(request, "POST", "/account/identifier/activation", {"token": token})
    if answer.ok:
        return see("/identifiant-valide")
    refused = answer.code if answer.code in {"link_used", "identifier_taken"} else "link_expired"
    return web.page(request, "activation.html", 409 if answer.status == 409 else 410, token="", refused=refused)


@router.get("/identifiant-valide")
async def validated(request: Request, web: WebPages) -> Response:
    """The seed's page after the choice took effect; it says nothing about anybody."""
    return web.page(request, "validated.html")
