"""`/api/v1`: passes a request to the service that owns its path, and the answer back, as streams unless small.

Nothing of the outside reaches a service but the method, the path, the query, the body and the headers that describe
them; who asks (`X-Forwarded-For`), the request id and the trace are written here.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from pyreqwest.exceptions import TransportError
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.client_address import client_address
from services.gateway.passing import HOP_BY_HOP, Body, passed_on, without
from services.gateway.rate_limits import RateLimits
from services.gateway.routes import ROUTES, Route
from services.gateway.settings import Network
from services.gateway.upstream import Upstreams, away
from shared.errors import FileTooLarge, NotFound, TooLarge, Unauthenticated

_NOT_SENT: Final = HOP_BY_HOP | {
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


class Proxy:
    """Passes requests on by the route table."""

    def __init__(
        self, upstreams: Upstreams, rate_limits: RateLimits, trusted_proxies: tuple[Network, ...] = ()
    ) -> None:
        self._upstreams, self._rate_limits = upstreams, rate_limits
        self._trusted = trusted_proxies

    def router(self) -> APIRouter:
        """Every route of the table, then 404 for whatever else is asked below `/api/v1`."""
        router = APIRouter()
        for route in ROUTES:
            router.add_route(route.path, self._endpoint(route), methods=list(route.methods))
        return router

    def _endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            address = client_address(request, self._trusted)
            self._rate_limits.count(route, address)
            if route.bearer:
                bearer_token(request)
            return await self._pass(route, request, address)

        return endpoint

    async def _pass(self, route: Route, request: Request, address: str) -> Response:
        body = Body(request, route.max_body_bytes, FileTooLarge if route.takes_file else TooLarge)
        body.check_length()
        path = _path(route, request)
        builder = self._upstreams.request(request.method, route.service, path, file=route.takes_file)
        builder = builder.headers([*without(request.headers.items(), _NOT_SENT), ("x-forwarded-for", address)])
        if body.is_small:
            builder = builder.body_bytes(await body.whole())
        elif body.expected:
            builder = builder.body_stream(body.pieces())
        sent = builder.build_streamed()
        try:
            answer = await sent.__aenter__()
        except TransportError as error:
            # The service may have hung up because we stopped sending: the reason is then ours to tell.
            raise body.refused or away(route.service, error) from None
        return await passed_on(route.service, sent, answer)


def bearer_token(request: Request) -> str:
    """The request's Bearer token, unread: the services verify it. 401 without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token


def _path(route: Route, request: Request) -> str:
    """The route's path with its parameters written anew, so that no `..` or encoded slash leaves the table."""
    parameters = {name: str(value) for name, value in request.path_params.items()}
    if any(segment in {".", ".."} for value in parameters.values() for segment in value.split("/")):
        raise NotFound
    plain = route.path.replace(":path}", "}")
    path = plain.format_map({name: quote(value, safe="") for name, value in parameters.items()})
    return f"{path}?{request.url.query}" if request.url.query else path
