"""The open streams of a process, each with a bounded queue of what its member should hear."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

LISTENERS = Gauge("espace_live_listeners", "Streams open in this process.")
RELOADS = Counter("espace_live_reloads_total", "Streams told to read everything again, by cause.", ["cause"])

RELOAD = "reload"


@dataclass(frozen=True, slots=True)
class Change:
    """One record of a member changed: `event` is the name on the wire, `at_ms` the database server's clock."""

    event: str
    member_number: str
    record_id: str
    at_ms: int


class Listener:
    """One open stream. Clients replace by id, so only the newest change of a record waits here."""

    def __init__(self, member_number: str, max_pending: int) -> None:
        self.member_number = member_number
        self.ended = False
        self._max_pending = max_pending
        self._pending: dict[tuple[str, str], Change] = {}
        self._overflowed = False
        self._wake = asyncio.Event()

    def offer(self, change: Change) -> None:
        """Queue `change`; past the bound the queue is dropped and the client is told to reload."""
        if self._overflowed:
            return
        self._pending.pop((change.event, change.record_id), None)
        self._pending[change.event, change.record_id] = change
        if len(self._pending) > self._max_pending:
            self.reload("overflow")
        self._wake.set()

    def reload(self, cause: str) -> None:
        """Changes were lost: the client must read again."""
        if not self._overflowed:
            RELOADS.labels(cause).inc()
        self._pending.clear()
        self._overflowed = True
        self._wake.set()

    def end(self) -> None:
        """Let the stream finish after what is queued."""
        self.ended = True
        self._wake.set()

    async def take(self, timeout_s: float) -> tuple[list[Change], bool]:
        """What is queued and whether to reload, as soon as there is something, else after `timeout_s` seconds."""
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return [], False
        self._wake.clear()
        changes, reload = list(self._pending.values()), self._overflowed
        self._pending.clear()
        self._overflowed = False
        return changes, reload


class Listeners:
    """All open streams, found by member."""

    def __init__(self) -> None:
        self._by_member: dict[str, set[Listener]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Listener]:
        return iter([listener for mine in self._by_member.values() for listener in mine])

    def add(self, listener: Listener) -> None:
        """Register; what happens from now on reaches it."""
        self._by_member.setdefault(listener.member_number, set()).add(listener)
        self._count += 1
        LISTENERS.set(self._count)

    def remove(self, listener: Listener) -> None:
        """Forget; harmless when done before."""
        mine = self._by_member.get(listener.member_number, set())
        if listener not in mine:
            return
        mine.remove(listener)
        if not mine:
            del self._by_member[listener.member_number]
        self._count -= 1
        LISTENERS.set(self._count)

    def offer(self, changes: Iterable[Change]) -> None:
        """Hand each change to the streams of its member."""
        for change in changes:
            for listener in self._by_member.get(change.member_number, ()):
                listener.offer(change)
