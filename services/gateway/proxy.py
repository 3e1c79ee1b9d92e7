"""`/api/v1`: passes a request to the service that owns its path, and the answer back, both as streams.

Nothing of the outside reaches a service but the method, the path, the query, the body and the headers that describe
them; who asks (`X-Forwarded-For`), the request id and the trace are written here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from pyreqwest.exceptions import TransportError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response as Upstream
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from services.gateway.client_address import client_address
from services.gateway.routes import ROUTES, Route
from services.gateway.settings import Network
from services.gateway.upstream import Upstreams, away, pieces
from shared.errors import NotFound, TooLarge, Unauthenticated
from shared.logs import get_logger

_HOP_BY_HOP: Final = frozenset(
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

_NOT_SENT: Final = _HOP_BY_HOP | {
    "cookie",  # the API knows Bearer tokens only, so that no page can be made to call it with a member's cookie
    "expect",
    "forwarded",
    "host",
    "traceparent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
}
_NOT_RETURNED: Final = _HOP_BY_HOP | {"date", "server", "set-cookie", "x-request-id"}

log = get_logger(__name__)

Headers = list[tuple[str, str]]


class Proxy:
    """Passes requests on by the route table."""

    def __init__(self, upstreams: Upstreams, trusted_proxies: tuple[Network, ...] = ()) -> None:
        self._upstreams = upstreams
        self._trusted = trusted_proxies

    def router(self) -> APIRouter:
        """Every route of the table, then 404 for whatever else is asked below `/api/v1`."""
        router = APIRouter()
        for route in ROUTES:
            router.add_route(route.path, self._endpoint(route), methods=list(route.methods))
        return router

    def _endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if route.bearer:
                bearer_token(request)
            return await self._pass(route, request)

        return endpoint

    async def _pass(self, route: Route, request: Request) -> Response:
        body = _Body(request, route.max_body_bytes)
        builder = self._upstreams.request(request.method, route.service, _path(route, request))
        builder = builder.headers(self._headers(request))
        if body.expected:
            builder = builder.body_stream(body.pieces())
        sent = builder.build_streamed()
        try:
            answer = await sent.__aenter__()
        except TransportError as error:
            # The service may have hung up because we stopped sending: the reason is then ours to tell.
            raise body.refused or away(route.service, error) from None
        return _answer(route, sent, answer)

    def _headers(self, request: Request) -> Headers:
        kept = _without(request.headers.items(), _NOT_SENT)
        return [*kept, ("x-forwarded-for", client_address(request, self._trusted))]


class _Body:
    """The request's body, counted while it streams through; past the limit the service never sees its end."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        self._request, self._max_bytes = request, max_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > max_bytes:
            raise self._too_large()
        self.expected = length not in {"", "0"} or "transfer-encoding" in request.headers
        self.refused: Exception | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        seen = 0
        try:
            async for piece in self._request.stream():
                seen += len(piece)
                if seen > self._max_bytes:
                    raise self._too_large()
                if piece:
                    yield piece
        except (TooLarge, ClientDisconnect) as error:
            self.refused = error
            raise

    def _too_large(self) -> TooLarge:
        return TooLarge(extra={"limit_bytes": self._max_bytes})


def bearer_token(request: Request) -> str:
    """The request's Bearer token, unread: the services verify it. 401 without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token


def _path(route: Route, request: Request) -> str:
    """The route's path with its parameters written anew, so that no `..` or encoded slash leaves the table."""
    parameters = {name: str(value) for name, value in request.path_params.items()}
    if any(value in {".", ".."} for value in parameters.values()):
        raise NotFound
    plain = route.path.replace(":path}", "}")
    path = plain.format_map({name: quote(value, safe="") for name, value in parameters.items()})
    return f"{path}?{request.url.query}" if request.url.query else path


def _without(headers: Iterable[tuple[str, str]], dropped: frozenset[str]) -> Headers:
    pairs = [(name.lower(), value) for name, value in headers]
    named = {part.strip().lower() for name, value in pairs if name == "connection" for part in value.split(",")}
    return [(name, value) for name, value in pairs if name not in dropped and name not in named]


def _answer(route: Route, sent: StreamRequest, answer: Upstream) -> Response:
    response = StreamingResponse(pieces(route.service, sent, answer), status_code=answer.status)
    response.raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in _without(answer.headers.items(), _NOT_RETURNED)
    ]
    return response
