"""What passes through: bodies on their way in, answers on their way out.

As streams; whole is held only what says beforehand that it is small, since a stream costs more than such a body.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Final

from pyreqwest.exceptions import TransportError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response as Upstream
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from services.gateway.upstream import away, next_piece
from shared.errors import TooLarge

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110, 7.6.1; what a `Connection` header names besides is dropped too."""

_NOT_RETURNED: Final = HOP_BY_HOP | {"date", "server", "set-cookie", "x-request-id"}

Headers = list[tuple[str, str]]

SMALL_BYTES: Final = 16 * 1024


class Body:
    """The request's body, counted while it streams through; past the limit the service never sees its end."""

    def __init__(self, request: Request, max_bytes: int, too_large: type[TooLarge] = TooLarge) -> None:
        self._request, self._max_bytes, self._too_large = request, max_bytes, too_large
        self._length = request.headers.get("content-length", "")
        self.expected = self._length not in {"", "0"} or "transfer-encoding" in request.headers
        self.is_small = self.expected and _is_small(self._length)
        self.refused: Exception | None = None

    def check_length(self) -> None:
        """Refuse what says itself that it is too large."""
        if self._length.isdecimal() and int(self._length) > self._max_bytes:
            raise self._refusal()

    async def pieces(self) -> AsyncIterator[bytes]:
        seen = 0
        try:
            async for piece in self._request.stream():
                seen += len(piece)
                if seen > self._max_bytes:
                    raise self._refusal()
                if piece:
                    yield piece
        except (TooLarge, ClientDisconnect) as error:
            self.refused = error
            raise

    async def whole(self) -> bytes:
        """All of a small one. Raises what `pieces` does."""
        return b"".join([piece async for piece in self.pieces()])

    def _refusal(self) -> TooLarge:
        return self._too_large(extra={"limit_bytes": self._max_bytes})


def without(headers: Iterable[tuple[str, str]], dropped: frozenset[str]) -> Headers:
    """The headers but those `dropped` and those that a `Connection` header names."""
    pairs = [(name.lower(), value) for name, value in headers]
    named = {part.strip().lower() for name, value in pairs if name == "connection" for part in value.split(",")}
    return [(name, value) for name, value in pairs if name not in dropped and name not in named]


async def passed_on(service: str, sent: StreamRequest, answer: Upstream) -> Response:
    """The answer of `service` as ours: its status, what of its headers is ours to return, its body.

    Raises `Unavailable` if the service breaks off in a small one.
    """
    response: Response
    if _is_small(answer.get_header("content-length") or ""):
        response = Response(await _whole(service, sent, answer), status_code=answer.status)
    else:
        response = StreamingResponse(_pieces(service, sent, answer), status_code=answer.status)
    response.raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in without(answer.headers.items(), _NOT_RETURNED)
    ]
    return response


def _is_small(length: str) -> bool:
    return length.isdecimal() and int(length) <= SMALL_BYTES


async def _whole(service: str, sent: StreamRequest, answer: Upstream) -> bytes:
    try:
        return bytes(await answer.bytes())
    except TransportError as error:
        raise away(service, error) from None
    finally:
        await sent.__aexit__(None, None, None)


async def _pieces(service: str, sent: StreamRequest, answer: Upstream) -> AsyncIterator[bytes]:
    """The answer's body. If the service breaks off, so do we: half an answer must not look like a whole one."""
    try:
        while (piece := await next_piece(answer)) is not None:
            yield piece
    except TransportError as error:
        away(service, error)
        raise
    finally:
        await sent.__aexit__(None, None, None)
