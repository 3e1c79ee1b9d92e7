"""A file of a service, streamed to the browser that asked for it with its cookie."""

from typing import TYPE_CHECKING, Final

from pyreqwest.exceptions import TransportError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.session import WebSession
from services.gateway.upstream import away, pieces
from shared.errors import NotFound, RequiredAction, TooLarge, Unauthenticated, Unavailable

if TYPE_CHECKING:  # the pages import this module
    from services.gateway.pages.web import Web

_PASSED_ON: Final = ("content-type", "content-disposition", "content-length")


async def download(web: "Web", request: Request, session: WebSession, service: str, path: str) -> Response:
    """What `service` answers at `path` of its API, piece by piece, never whole in memory.

    Raises `Unauthenticated`, `RequiredAction`, `TooLarge`, `Unavailable`, and `NotFound` for any other refusal.
    """
    sent = web.sessions.asking(request, session, service, path).build_streamed()
    try:
        answer = await sent.__aenter__()
    except TransportError as error:
        raise away(service, error) from None
    if answer.status != 200:
        await sent.__aexit__(None, None, None)
        if answer.status == Unauthenticated.status:
            web.sessions.forget(request)
        raise _refusal(answer.status)
    headers = {name: value for name in _PASSED_ON if (value := answer.get_header(name))}
    return StreamingResponse(pieces(service, sent, answer), headers=headers)


def _refusal(status: int) -> Exception:
    if status >= 500:  # the service is in trouble, whatever kind
        return Unavailable()
    by_status = {error.status: error for error in (Unauthenticated, RequiredAction, TooLarge)}
    return by_status.get(status, NotFound)()
