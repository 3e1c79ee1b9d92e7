"""The page that asks for the password again, before what must not be done from a session that was left open."""

from fastapi import Request
from starlette.responses import Response

from services.gateway.pages.passwords import Refused
from services.gateway.pages.web import Web


def confirm_page(
    web: Web, request: Request, refused: Refused | None = None, *, suite: str, garde: str = ""
) -> Response:
    """`suite`: the page to go on to. `garde`: a sealed form that is shown again instead."""
    context = {"refused": refused or Refused(), "suite": suite, "garde": garde}
    return web.page(request, "confirm.html", 422 if refused else 200, **context)
