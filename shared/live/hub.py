"""All the open streams of a process over one change stream."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import ASCENDING

from shared.errors import Unavailable
from shared.live.feed import Feed
from shared.live.keys import instant, milliseconds, parts
from shared.live.listeners import Change, Listener, Listeners
from shared.live.sse import EventStream, Missed
from shared.mongo import Document, Mongo, server_time
from shared.tokens import Member

OVERLAP = timedelta(seconds=60)
"""How far before its id a stream is read again: a transaction stamps before it commits and lives at most 10 s."""
OPENING_S = 3.0
STOPPING_S = 5.0


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """The bounds of a process's streams."""

    max_streams: int = 1_000
    max_changes: int = 200
    """That wait for one client, or that it missed; beyond them it is told to reload."""


class Live:
    """Streams for members. `events` maps each followed collection to the name of its event."""

    name = "live"
    required = False

    def __init__(
        self,
        mongo: Mongo,
        events: Mapping[str, str],
        *,
        is_closed: Callable[[Member], bool],
        limits: LiveLimits | None = None,
    ) -> None:
        self._db, self._events, self._is_closed = mongo.db, dict(events), is_closed
        self._limits = limits or LiveLimits()
        self._listeners = Listeners()
        self._feed = Feed(
            mongo.db,
            events,
            wanted=self._wanted,
            on_changes=self._listeners.offer,
            on_gap=self._reload_all,
        )
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Nothing: the change stream is opened for the first listener."""

    async def stop(self) -> None:
        """End every stream and wait for the change stream's last answer."""
        self.drain()
        if self._task:
            await asyncio.wait([self._task], timeout=STOPPING_S)
            self._task.cancel()

    def drain(self) -> None:
        """End every stream now and open no other: clients come back to another process."""
        self._stopping = True
        for listener in self._listeners:
            listener.end()

    async def state(self) -> str:
        """`ok`, or that somebody listens and the change stream is down."""
        return "ok" if self._feed.open.is_set() or not self._listeners else "waiting for the change stream"

    async def stream(self, member: Member, after_ms: int | None) -> EventStream:
        """A stream from `after_ms` on (None: from now on); raises `Unavailable` while it cannot be promised."""
        if self._stopping or len(self._listeners) >= self._limits.max_streams:
            raise Unavailable
        listener = Listener(member.member_number, self._limits.max_changes)
        self._listeners.add(listener)
        try:
            await self._follow()
            missed = await self._missed(member.member_number, after_ms)
        except BaseException:
            self._listeners.remove(listener)
            raise
        return EventStream(
            listener,
            member,
            missed=missed,
            is_closed=self._is_closed,
            on_end=lambda: self._listeners.remove(listener),
        )

    def _wanted(self) -> bool:
        return bool(self._listeners) and not self._stopping

    async def _follow(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._feed.run(), name="live-feed")
        try:
            await asyncio.wait_for(self._feed.open.wait(), OPENING_S)
        except TimeoutError:
            raise Unavailable from None

    async def _missed(self, member_number: str, after_ms: int | None) -> Missed:
        """Read what changed since; the listener is registered already, so nothing falls between."""
        position_ms = milliseconds(await server_time(self._db))
        if after_ms is None:
            return Missed((), position_ms)
        changes: list[Change] = []
        for collection in self._events:
            changes += await self._changed_since(collection, member_number, after_ms)
        if len(changes) > self._limits.max_changes:
            return Missed((), position_ms, too_many=True)
        return Missed(sorted(changes, key=lambda change: change.at_ms), position_ms)

    async def _changed_since(self, collection: str, member_number: str, after_ms: int) -> list[Change]:
        query = changed_since(member_number, instant(after_ms) - OVERLAP)
        rows = self._db[collection].find(query, {"updated_at": 1}).sort("updated_at", ASCENDING)
        bound = self._limits.max_changes + 1
        return [
            Change(self._events[collection], member_number, parts(row["_id"])[1], milliseconds(row["updated_at"]))
            for row in await rows.limit(bound).to_list(bound)
        ]

    def _reload_all(self) -> None:
        for listener in self._listeners:
            listener.reload("gap")


def changed_since(member_number: str, at: datetime) -> Document:
    """The query of a member's records that changed then or later."""
    return {"member_number": member_number, "updated_at": {"$gte": at}}
