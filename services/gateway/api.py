"""HTTP entrance: the live stream, for pages by cookie and for mobile apps by Bearer token; and what does not exist."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from services.gateway.client_address import client_address
from services.gateway.proxy import bearer_token
from services.gateway.session import Sessions
from services.gateway.settings import Network
from services.gateway.stream import Listener, Streams, expiry
from services.gateway.vector import parse_vector
from shared.app import API_PREFIX
from shared.errors import NotFound

LastId = Annotated[str | None, Header(alias="last-event-id", max_length=100)]
After = Annotated[str | None, Query(max_length=100)]


def stream_router(streams: Streams, sessions: Sessions, trusted_proxies: tuple[Network, ...]) -> APIRouter:
    """`GET /stream` and `GET /api/v1/stream`. The `Last-Event-ID` header wins over `?after=`."""
    router = APIRouter()

    @router.get("/stream", include_in_schema=False)
    async def page_stream(request: Request, last_id: LastId = None, after: After = None) -> Response:
        session = await sessions.current(request)
        listener = Listener(session.access_token, session.expires_at, client_address(request, trusted_proxies))
        return await streams.open(listener, parse_vector(last_id or after))

    @router.get(f"{API_PREFIX}/stream")
    async def api_stream(request: Request, last_id: LastId = None, after: After = None) -> Response:
        token = bearer_token(request)
        listener = Listener(token, expiry(token), client_address(request, trusted_proxies))
        return await streams.open(listener, parse_vector(last_id or after))

    return router


def unknown_router() -> APIRouter:
    """Everything else below `/api/v1`: a problem, not a page."""
    router = APIRouter(include_in_schema=False)

    @router.api_route(f"{API_PREFIX}/{{path:path}}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    async def unknown(path: str) -> Response:
        raise NotFound

    return router
