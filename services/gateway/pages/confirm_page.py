"""The page that asks for the password or a passkey again, before what must not be done from a session left open."""

from fastapi import Request
from starlette.responses import Response

from services.gateway.pages.passwords import Refused
from services.gateway.pages.web import Web
from services.gateway.web_session import WebSession
from shared.errors import Unavailable


async def confirm_page(
    web: Web, request: Request, session: WebSession, refused: Refused | None = None, *, suite: str, garde: str = ""
) -> Response:
    """`suite`: the page to go on to. `garde`: a sealed form that is shown again instead."""
    by_passkey = await _has_passkey(web, request, session)
    context = {"refused": refused or Refused(), "suite": suite, "garde": garde, "by_passkey": by_passkey}
    return web.page(request, "confirm.html", 422 if refused else 200, **context)


async def _has_passkey(web: Web, request: Request, session: WebSession) -> bool:
    """Not, while nobody can say so: the password is always a way."""
    try:
        answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    except Unavailable:
        return False
    return bool(answer.ok and answer.body.get("passkeys"))
