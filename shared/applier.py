"""Applies one batch of records to a service: folds repeats, halves what is refused, waits for what passes."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import Counter, Histogram
from pymongo.errors import PyMongoError

from shared import inbox
from shared.backoff import Backoff
from shared.dead_letters import DeadLetters
from shared.errors import Unavailable
from shared.events.base import Event, EventData
from shared.events.record import InvalidRecord, Record, parse
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction

TRIES = 3
"""How often one record may fail unexpectedly before it becomes a dead letter."""
UNEXPECTED_PER_MINUTE = 20
"""More unexpected dead letters than this in a minute are a bad release, not bad records."""

RECORDS = Counter("espace_consumer_records_total", "Records read, by what became of them.", ["topic", "outcome"])
BATCH = Histogram("espace_consumer_batch_seconds", "Time to apply one batch, waiting included.", ["topic"])

log = get_logger(__name__)

BatchHandler = Callable[[Sequence[Event[EventData]], Transaction], Awaitable[None]]


class Refused(Exception):
    """A rule refuses this record: it becomes a dead letter with `reason` (a stable code, no values)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stopped(Exception):
    """The batch was given up with nothing committed: the process stops, or (`alarming`) the release is bad."""

    def __init__(self, *, alarming: bool) -> None:
        super().__init__("stopped")
        self.alarming = alarming


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record
    event: Event[EventData]


@dataclass(frozen=True, slots=True)
class _Dead:
    record: Record
    reason: str
    attempts: int = 1


class Applier:
    """One topic of one service. Called with one batch of a partition at a time: a member's events stay in order."""

    def __init__(
        self, topic: str, handle: BatchHandler, mongo: Mongo, letters: DeadLetters, *, has_inbox: bool = True
    ) -> None:
        self._topic, self._handle, self._mongo, self._letters = topic, handle, mongo, letters
        self._has_inbox = has_inbox
        self._stopping = asyncio.Event()
        self._unexpected: deque[float] = deque()
        self._stopped = False
        self.trouble = ""
        """What keeps this topic standing now; empty when nothing does."""

    def stop(self) -> None:
        """Give up waiting; a batch that makes progress still ends well."""
        self._stopping.set()

    async def apply(self, records: Sequence[Record]) -> None:
        """Apply each new event once, in record order; every record that cannot be taken becomes a dead letter.

        Raises `Stopped` with nothing to commit, whatever it was that failed: nothing may be passed over.
        """
        if self._stopped:
            raise Stopped(alarming=False)
        try:
            await self._take(records)
        except Stopped:
            raise
        except Exception as error:
            self._stopped, self.trouble = True, f"stopped: {type(error).__name__}"
            log.exception("batch_failed", topic=self._topic)
            raise Stopped(alarming=True) from error

    async def _take(self, records: Sequence[Record]) -> None:
        started = time.monotonic()
        entries, dead = _read(records)
        dead += await self._apply(_folded(entries))
        for letter in dead:
            await self._letters.keep(letter.record, letter.reason, letter.attempts)
            log.warning("dead_letter", topic=self._topic, offset=letter.record.offset, reason=letter.reason)
        BATCH.labels(self._topic).observe(time.monotonic() - started)
        RECORDS.labels(self._topic, "dead").inc(len(dead))

    async def replay(self, record: Record) -> str | None:
        """Hand one stored record to the same handler; `None` when it went through, else the reason."""
        entries, dead = _read([record])
        dead += await self._apply(entries, replayed=True)
        return dead[0].reason if dead else None

    async def _apply(self, entries: Sequence[_Entry], *, replayed: bool = False) -> list[_Dead]:
        """All of `entries` in one transaction, or in halves where one of them is refused.

        A replay that fails again says nothing new about the release: only what Kafka delivers may stop the topic.
        """
        if not entries:
            return []
        try:
            await self._transact(entries)
        except Stopped:
            raise
        except Refused as refused:
            reason = refused.reason
        except PyMongoError as error:
            reason = f"store_refused:{type(error).__name__}"
        except Exception as error:
            log.exception("handler_failed", topic=self._topic, events=len(entries))
            if len(entries) == 1:
                found = await self._try_again(entries[0], error)
                if not replayed and found and found[0].attempts == TRIES:
                    self._count_unexpected()
                return found
            reason = "unexpected"
        else:
            return []
        if len(entries) == 1:
            return [_Dead(entries[0].record, reason)]
        middle = len(entries) // 2
        return await self._apply(entries[:middle]) + await self._apply(entries[middle:])

    async def _try_again(self, entry: _Entry, error: Exception) -> list[_Dead]:
        """The second and third try of a record that failed in a way nobody foresaw."""
        backoff = Backoff(first_s=0.1, cap_s=1.0)
        for _ in range(TRIES - 1):
            await self._pause(backoff)
            try:
                await self._transact([entry])
            except Stopped:
                raise
            except Refused as refused:
                return [_Dead(entry.record, refused.reason)]
            except Exception as again:
                error = again
            else:
                return []
        return [_Dead(entry.record, f"unexpected:{type(error).__name__}", TRIES)]

    def _count_unexpected(self) -> None:
        now = time.monotonic()
        self._unexpected.append(now)
        while self._unexpected[0] < now - 60:
            self._unexpected.popleft()
        if len(self._unexpected) > UNEXPECTED_PER_MINUTE:
            self._stopped, self.trouble = True, "stopped: too many unexpected errors"
            log.critical("consumer_stopped", topic=self._topic, unexpected=len(self._unexpected))
            raise Stopped(alarming=True)

    async def _transact(self, entries: Sequence[_Entry]) -> None:
        """One transaction: inbox, handler, outbox; repeated with backoff for as long as the fault passes by itself."""
        by_key = {inbox.event_key(entry.event): entry.event for entry in entries}
        tried = False

        async def body(tx: Transaction) -> int:
            nonlocal tried
            look_first, tried = tried, True
            new = await inbox.enter(tx, by_key.keys(), look_first=look_first) if self._has_inbox else by_key.keys()
            if new:
                await self._handle([event for key, event in by_key.items() if key in new], tx)
            return len(new)

        backoff = Backoff(first_s=0.05, cap_s=5.0)
        while True:
            try:
                applied = await self._mongo.transaction(body, deadline_s=0)
            except Unavailable as unavailable:
                await self._wait(backoff, unavailable.__cause__ or unavailable)
            else:
                if not self._stopped:
                    self.trouble = ""
                RECORDS.labels(self._topic, "applied").inc(applied)
                RECORDS.labels(self._topic, "repeated").inc(len(entries) - applied)
                return

    async def _wait(self, backoff: Backoff, error: BaseException) -> None:
        if backoff.tries >= 3:
            self.trouble = f"waiting: {type(error).__name__}"
            log.warning("batch_waits", topic=self._topic, error=type(error).__name__, tries=backoff.tries)
        await self._pause(backoff)

    async def _pause(self, backoff: Backoff) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), backoff.next_s())
        except TimeoutError:
            return
        raise Stopped(alarming=False)


def _read(records: Sequence[Record]) -> tuple[list[_Entry], list[_Dead]]:
    now = datetime.now(UTC)
    entries: list[_Entry] = []
    dead: list[_Dead] = []
    for record in records:
        try:
            entries.append(_Entry(record, parse(record, now=now)))
        except InvalidRecord as invalid:
            dead.append(_Dead(record, invalid.reason))
    return entries, dead


def _folded(entries: Sequence[_Entry]) -> list[_Entry]:
    """The batch without its repeats: the first of each event id stays where it stood."""
    first: dict[str, _Entry] = {}
    for entry in entries:
        first.setdefault(inbox.event_key(entry.event), entry)
    return list(first.values())
