"""The parts of a running service: database, consumer, relay, workers. Started in order, stopped in reverse."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from prometheus_client import Gauge

from shared.backoff import Backoff
from shared.logs import get_logger

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
STATE_TIMEOUT_S = 2.5
"""Health is asked every few seconds: a dependency that does not answer must not keep the answer about it waiting."""

PART_UP = Gauge("espace_part_up", "1 if this part of the service works, else 0.", ["part"])

log = get_logger(__name__)


class Part(Protocol):
    """Something with a life of its own. Without a `required` part no HTTP request can be answered."""

    @property
    def name(self) -> str: ...
    @property
    def required(self) -> bool: ...

    async def start(self) -> None:
        """Return once it works; an error means that its dependency is away, and it is tried again."""

    async def stop(self) -> None:
        """Finish the work under way and let go of everything; harmless if it never started."""

    async def state(self) -> str:
        """`ok`, else a few words on what is wrong, without personal data."""


@runtime_checkable
class Drained(Protocol):
    """A part with work that would never end by itself, such as open streams."""

    def drain(self) -> None:
        """The process is asked to stop: end that work now, begin none."""


class Lifecycle:
    """Starts parts in the background, each as soon as it can, so that `/livez` answers from the first moment."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self._started: list[Part] = []
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the required parts in the given order, then the others side by side; nobody waits for it."""
        self._task = asyncio.create_task(self._start_all(), name="start-parts")

    def drain(self) -> None:
        """End what would keep the server waiting for its last answers; the parts themselves go on."""
        for part in self._parts:
            if isinstance(part, Drained):
                part.drain()

    async def end(self) -> None:
        """Stop what was started, last first."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for part in reversed(self._parts):
            try:
                await asyncio.wait_for(part.stop(), STOP_TIMEOUT_S)
            except Exception:
                log.exception("part_stopped_badly", part=part.name)
        log.info("stopped")

    async def report(self) -> tuple[str, dict[str, str]]:
        """`ok`, `degraded` (a part that may be missing is) or `down`, and the state of each part."""
        found = await asyncio.gather(*(self._state(part) for part in self._parts))
        states = {part.name: state for part, state in zip(self._parts, found, strict=True)}
        for name, state in states.items():
            PART_UP.labels(name).set(state == "ok")
        if any(part.required and states[part.name] != "ok" for part in self._parts):
            return "down", states
        return ("ok" if set(states.values()) <= {"ok"} else "degraded"), states

    async def _state(self, part: Part) -> str:
        if part not in self._started:
            return "starting"
        try:
            return await asyncio.wait_for(part.state(), STATE_TIMEOUT_S)
        except TimeoutError:
            return "unanswered"

    async def _start_all(self) -> None:
        for part in self._parts:
            if part.required:
                await self._start(part)
        await asyncio.gather(*(self._start(part) for part in self._parts if not part.required))
        log.info("started", parts=[part.name for part in self._parts])

    async def _start(self, part: Part) -> None:
        backoff = Backoff(first_s=0.2, cap_s=5.0)
        while True:
            try:
                await asyncio.wait_for(part.start(), START_TIMEOUT_S)
            except Exception as error:
                delay_s = backoff.next_s()
                log.warning("waiting_for", part=part.name, error=type(error).__name__, retry_in_s=round(delay_s, 2))
                await asyncio.sleep(delay_s)
            else:
                self._started.append(part)
                return
