"""HTTP entrance: the live stream, for pages by cookie and for mobile apps by Bearer token; and what does not exist."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from services.gateway.access_tokens import expiry
from services.gateway.proxy import bearer_token
from services.gateway.session import Sessions
from services.gateway.stream import Listener, Streams
from services.gateway.vector import parse_vector
from shared.app import API_PREFIX
from shared.errors import NotFound

LastId = Annotated[str | None, Header(alias="last-event-id", max_length=100)]
After = Annotated[str | None, Query(max_length=100)]


router = APIRouter()


@router.get("/stream", include_in_schema=False)
async def page_stream(request: Request, last_id: LastId = None, after: After = None) -> Response:
    """For pages, by the session's cookie."""
    sessions = _sessions(request)
    session = await sessions.current(request)
    return await _opened(request, session.access_token, sessions.ends_at(session), last_id or after)


@router.get(
    f"{API_PREFIX}/stream",
    response_class=Response,
    responses={200: {"description": "Ids of what changes.", "content": {"text/event-stream": {}}}},
)
async def stream(request: Request, last_id: LastId = None, after: After = None) -> Response:
    """`claim`, `document`, `message` and `notice` events with ids only; the `Last-Event-ID` header wins."""
    token = bearer_token(request)
    return await _opened(request, token, expiry(token), last_id or after)


async def _opened(request: Request, token: str, expires_at: float, after: str | None) -> Response:
    streams: Streams = request.app.state.streams
    return await streams.open(Listener(token, expires_at, _sessions(request).address(request)), parse_vector(after))


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.web.sessions
    return sessions


def unknown_router() -> APIRouter:
    """Everything else below `/api/v1`: a problem, not a page."""
    router = APIRouter(include_in_schema=False)

    @router.api_route(f"{API_PREFIX}/{{path:path}}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    async def unknown(path: str) -> Response:
        raise NotFound

    return router
