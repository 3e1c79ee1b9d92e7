"""`GET /stream`, the same in every service that has something to tell. Needs `app.state.live`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from shared.api import NotStored
from shared.app import API_PREFIX
from shared.live.hub import Live
from shared.live.sse import EventStream, position
from shared.tokens import CurrentMember

router = APIRouter(prefix=API_PREFIX, dependencies=[NotStored])


@router.get("/stream", response_class=Response)
async def stream(
    request: Request,
    member: CurrentMember,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """What changes while the client listens: events with ids, `reload` where too much changed to tell."""
    live: Live = request.app.state.live
    return await live.stream(member, position(last_event_id, after))
