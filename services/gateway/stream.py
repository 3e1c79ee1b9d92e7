"""The live stream: the services' streams joined into one per client.

The id is a vector, `c<ms>.d<ms>.n<ms>`: each service gets its own part back when its stream is opened again, so that
nothing is missed whichever of them broke. Events carry ids only; clients replace by id.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Gauge
from pyreqwest.exceptions import TransportError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from services.gateway.routes import STREAMS
from services.gateway.sse import EventParser, EventTooLarge, ServerEvent
from services.gateway.upstream import Upstreams, end_if_cancelled, next_piece
from services.gateway.vector import Vector, format_vector
from shared.backoff import Backoff
from shared.errors import Forbidden, NotFound, RequiredAction, Unauthenticated, Unavailable
from shared.logs import get_logger

COMMENT_EVERY_S: Final = 15
MAX_AT_ONCE: Final = 200
"""More changes than this in one burst become one `reload`."""
RELOAD: Final = "reload"
QUIET_EACH_S: Final = 0.005
QUIET_S: Final = 0.03
"""A burst is over when nothing came for `QUIET_EACH_S` for each of its changes, or for `QUIET_S` if they are many …"""
LONGEST_BURST_S: Final = 0.5
"""… or after this long."""
FIRST_ANSWERS_S: Final = 2.0
"""How long the services have to refuse the token before the client is told that its stream stands."""
RECONNECT_AFTER_MS: Final = 1000
SEND_TIMEOUT_S: Final = 30.0
"""A client that takes nothing for this long is let go."""

OPEN = Gauge("espace_gateway_streams", "Live streams open in this process.")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listener:
    """For whom a stream is opened. `expires_at`: Unix seconds at which its token or its session ends."""

    token: str
    expires_at: float
    address: str


class Streams:
    """Opens joined streams, so many and no more."""

    def __init__(self, upstreams: Upstreams, max_open: int) -> None:
        self._upstreams, self._max_open, self._open = upstreams, max_open, 0

    async def open(self, listener: Listener, vector: Vector) -> Response:
        """The stream as an HTTP answer. Raises what a service answered to the token, or `Unavailable` when full."""
        if self._open >= self._max_open:
            raise Unavailable(retry_after_s=30)
        joined = _Joined(self._upstreams, listener, vector)
        self._count(+1)
        try:
            await joined.start()
        except BaseException:
            self._count(-1)
            raise
        return EventSourceResponse(
            self._events(joined),
            ping=COMMENT_EVERY_S,
            ping_message_factory=lambda: ServerSentEvent(comment="still here"),
            send_timeout=SEND_TIMEOUT_S,
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _events(self, joined: "_Joined") -> AsyncIterator[ServerSentEvent]:
        try:
            yield ServerSentEvent(comment="open", retry=RECONNECT_AFTER_MS)
            async for event in joined.events():
                yield event
        finally:
            joined.stop()
            self._count(-1)

    def _count(self, change: int) -> None:
        self._open += change
        OPEN.set(self._open)


class _Joined:
    """One client's stream: a follower per service, one bounded queue."""

    def __init__(self, upstreams: Upstreams, listener: Listener, vector: Vector) -> None:
        self._listener, self._vector = listener, vector
        # Full: the followers wait, and the services' own queues overflow into a reload.
        self._queue: asyncio.Queue[_Heard | None] = asyncio.Queue(maxsize=4 * MAX_AT_ONCE)
        self._followers = [
            _Follower(upstreams, listener, letter, since, self._queue) for letter, since in vector.items()
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._told_at = time.monotonic()  # what a stream begins with is most often a burst

    async def start(self) -> None:
        """Open the services' streams; a token that one of them refuses is refused here."""
        self._tasks = [asyncio.create_task(follower.run()) for follower in self._followers]
        first_answers = asyncio.gather(*(follower.answered.wait() for follower in self._followers))
        try:
            await asyncio.wait_for(first_answers, FIRST_ANSWERS_S)
        except TimeoutError:
            pass  # a service that hangs is followed as soon as it answers
        except BaseException:
            self.stop()
            raise
        for follower in self._followers:
            if follower.refused:
                self.stop()
                raise follower.refused

    def stop(self) -> None:
        """Let go of the services' streams."""
        for task in self._tasks:
            task.cancel()

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """What the client is sent, until its token ends or a service closes the session."""
        over = False
        while not over:
            burst = await self._burst()
            heard = [item for item in burst if item]
            for change in _folded(heard):
                # Each id covers what was sent up to it and no more: a client cut off here asks for the rest again.
                self._vector[change.letter] = max(self._vector[change.letter], change.at_ms)
                yield change.told(format_vector(self._vector))
                self._told_at = time.monotonic()
            over = len(heard) < len(burst)

    async def _burst(self) -> "list[_Heard | None]":
        """The changes that came at once; `None` among them is the end. One alone, after a rest, does not wait."""
        burst = [await self._next(self._listener.expires_at - time.time())]
        if self._queue.empty() and time.monotonic() - self._told_at > QUIET_S:
            return burst
        until = time.monotonic() + LONGEST_BURST_S
        while burst[-1] and (left_s := until - time.monotonic()) > 0:
            quiet_s = min(QUIET_S, QUIET_EACH_S * len(burst))
            try:
                burst.append(await asyncio.wait_for(self._queue.get(), min(quiet_s, left_s)))
            except TimeoutError:
                break
        return burst

    async def _next(self, timeout_s: float) -> "_Heard | None":
        try:
            return await asyncio.wait_for(self._queue.get(), max(0.0, timeout_s))
        except TimeoutError:
            return None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a service told; without `event` only its part of the id moved."""

    letter: str
    at_ms: int
    event: str
    data: str

    def told(self, vector: str) -> ServerSentEvent:
        """As the client hears it."""
        return (
            ServerSentEvent(data=self.data, event=self.event, id=vector) if self.event else ServerSentEvent(id=vector)
        )


def _folded(burst: Sequence[_Heard]) -> Sequence[_Heard]:
    """Each record once, where it was told last; one `reload`, after every id, instead of too many."""
    newest: dict[tuple[str, str, str], _Heard] = {}
    for heard in burst:
        key = (heard.letter, heard.event, heard.data)
        newest.pop(key, None)
        newest[key] = heard
    changes = [heard for heard in newest.values() if heard.event]
    if len(changes) <= MAX_AT_ONCE and not any(heard.event == RELOAD for heard in changes):
        return list(newest.values())
    last = {heard.letter: heard for heard in burst}
    ids = [_Heard(heard.letter, heard.at_ms, "", "") for heard in last.values()]
    return [*ids[:-1], _Heard(ids[-1].letter, ids[-1].at_ms, RELOAD, "{}")]


class _Broken(Exception):
    """A service answered, but not with a stream."""


class _Follower:
    """Reads one service's stream and opens it again, from its part, whenever it breaks."""

    def __init__(
        self, upstreams: Upstreams, listener: Listener, letter: str, since: int, queue: "asyncio.Queue[_Heard | None]"
    ) -> None:
        self._upstreams, self._listener, self._queue = upstreams, listener, queue
        self._letter, self._since, self._service = letter, since, STREAMS[letter]
        self.answered = asyncio.Event()
        self.refused: Exception | None = None

    async def run(self) -> None:
        """Follow until the token is refused, or the service turns out to have no stream."""
        backoff = Backoff(first_s=0.2, cap_s=10.0)
        while True:
            end_if_cancelled()
            try:
                await self._follow(backoff)
            except (Unauthenticated, Forbidden) as error:
                self.refused = error
                self.answered.set()
                await self._queue.put(None)
                return
            except NotFound:
                self.answered.set()
                return
            except (TransportError, Unavailable, EventTooLarge, _Broken) as error:
                self._report(backoff, error)
            self.answered.set()
            await backoff.sleep()

    async def _follow(self, backoff: Backoff) -> None:
        request = (
            self._upstreams.stream(self._service, "/stream")
            .query({"after": str(self._since)})
            .header("authorization", f"Bearer {self._listener.token}", is_sensitive=True)
            .header("accept", "text/event-stream")
            .header("x-forwarded-for", self._listener.address)
            .build_streamed()
        )
        async with request as answer:
            _raise_for(answer.status)
            backoff.reset()
            self.answered.set()
            parser = EventParser()
            while (piece := await next_piece(answer)) is not None:
                for event in parser.feed(piece):
                    await self._hear(event)

    async def _hear(self, event: ServerEvent) -> None:
        if event.id.isdecimal():
            self._since = max(self._since, int(event.id))
        await self._queue.put(_Heard(self._letter, self._since, event.event, event.data))

    def _report(self, backoff: Backoff, error: Exception) -> None:
        if backoff.tries == 0:  # once for each break, not for each try
            log.warning("stream_broke", of=self._service, error=type(error).__name__)


def _raise_for(status: int) -> None:
    match status:
        case 200:
            return
        case 401:
            raise Unauthenticated
        case 403:
            raise RequiredAction
        case 404:
            raise NotFound
        case _:
            raise _Broken
