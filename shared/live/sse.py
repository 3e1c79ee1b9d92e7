"""One open stream as `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.live.listeners import RELOAD, Change, Listener
from shared.tokens import Member

COMMENT_EVERY_S = 15.0
"""Keeps proxies from hanging up; api.md promises it."""
LOOK_EVERY_S = 5.0
"""How often an idle stream looks whether its session was closed."""
LAST_WORDS_S = 5.0
"""How long after the token's end a client that stopped reading may hold the connection."""

MAX_DIGITS = 15
"""Of an id in milliseconds: some thirty thousand years."""

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@dataclass(frozen=True, slots=True)
class Missed:
    """What happened before a stream began: changes, oldest first, or `too_many`; `position_ms` is where it begins."""

    changes: Sequence[Change]
    position_ms: int
    too_many: bool = False


class EventStream(StreamingResponse):
    """The events of one listener until its token expires, its session is closed or the process stops.

    Each event is `id:` the change's stamp in ms, `event:` its name, `data:` {"id": …}.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        listener: Listener,
        member: Member,
        *,
        missed: Missed,
        is_closed: Callable[[Member], bool],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(self._events(missed), headers=_HEADERS)
        self._listener, self._member = listener, member
        self._is_closed, self._on_end = is_closed, on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end; the listener goes in every case, also when the client does."""
        try:
            async with asyncio.timeout(self._seconds_left() + LAST_WORDS_S):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            return  # the client reads nothing any more; there is nobody to tell
        finally:
            self._on_end()

    def _seconds_left(self) -> float:
        return max(0.0, (self._member.expires_at - datetime.now(UTC)).total_seconds())

    def _goes_on(self) -> bool:
        return not self._listener.ended and self._seconds_left() > 0 and not self._is_closed(self._member)

    async def _events(self, first: Missed) -> AsyncIterator[str]:
        yield f"retry: {random.randint(1000, 5000)}\n\n"  # noqa: S311 - spreads clients that come back, no secret
        for change in first.changes:
            yield _event(change)
        # Only after what was missed: a client that is cut before this line asks from its old id again.
        position_ms = first.position_ms
        yield _reload(position_ms) if first.too_many else f"id: {position_ms}\n\n"
        quiet_since = time.monotonic()
        while self._goes_on():
            changes, lost = await self._listener.take(self._patience(quiet_since))
            for change in changes:
                position_ms = max(position_ms, change.at_ms)
                yield _event(change)
            if lost:
                yield _reload(position_ms)
            if changes or lost:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= COMMENT_EVERY_S:
                quiet_since = time.monotonic()
                yield ":\n\n"

    def _patience(self, quiet_since: float) -> float:
        comment_due = quiet_since + COMMENT_EVERY_S - time.monotonic()
        return max(0.01, min(LOOK_EVERY_S, self._seconds_left(), comment_due))


def _event(change: Change) -> str:
    return f"id: {change.at_ms}\nevent: {change.event}\ndata: {json.dumps({'id': change.record_id})}\n\n"


def _reload(position_ms: int) -> str:
    return f"id: {position_ms}\nevent: {RELOAD}\ndata: {{}}\n\n"


def position(last_event_id: str | None, after: int | None) -> int | None:
    """From where a client wants to hear, in ms: the `Last-Event-ID` header wins over `?after=`."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit():
        return int(last_event_id[:MAX_DIGITS])
    return after
