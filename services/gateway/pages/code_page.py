"""The page that asks for a code after the password."""

from fastapi import Request
from starlette.responses import Response

from services.gateway.pages.passwords import Refused
from services.gateway.pages.web import Web


def code_page(
    web: Web,
    request: Request,
    refused: Refused | None = None,
    *,
    suite: str,
    garde: str = "",
    with_recovery_code: bool = False,
) -> Response:
    """`suite`: the page to go on to. `garde`: a sealed form that is shown again instead."""
    context = {"refused": refused or Refused(), "suite": suite, "garde": garde, "recovery": with_recovery_code}
    return web.page(request, "code.html", 422 if refused else 200, **context)
