"""Closed sessions: kept for twice an access token's life, re-read every few seconds by each replica.

A token signed before its session was closed would otherwise be good for five minutes more, in every service.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from pymongo import ASCENDING, IndexModel
from pymongo.errors import PyMongoError

from shared.clock import now
from shared.events.auth import SessionsClosed
from shared.events.base import Event, EventData
from shared.logs import get_logger
from shared.mongo import Document, Mongo, Transaction

COLLECTION = "closed_sessions"
KEPT_S = 600
REREAD_S = 2.0

log = get_logger(__name__)


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collection; rows go by themselves after `KEPT_S`."""
    return {COLLECTION: [IndexModel([("at", ASCENDING)], expireAfterSeconds=KEPT_S)]}


class Closures:
    """Knows which tokens are no longer good although their signature and time are."""

    name = "closures"
    required = False

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._sessions: frozenset[str] = frozenset()
        self._all_before: Mapping[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Read the list once, then go on in the background."""
        await self._read()
        self._task = asyncio.create_task(self._run(), name="closures")

    async def stop(self) -> None:
        """Stop re-reading."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def state(self) -> str:
        """`ok`, or why the list is old."""
        return self._trouble or "ok"

    def is_closed(self, *, session_id: str, member_number: str, issued_at: datetime) -> bool:
        """Whether the session of this token was closed, by its id or by an instant (whole seconds, as in the token)."""
        if session_id in self._sessions:
            return True
        closed_at = self._all_before.get(member_number)
        return closed_at is not None and issued_at < closed_at

    async def record(self, tx: Transaction, event: Event[SessionsClosed]) -> None:
        """Keep one closure, in the transaction of the event that brought it (or of the one that publishes it)."""
        row = {
            "member_number": event.data.member_number,
            "session_ids": list(event.data.session_ids or ()),
            "all_before": event.data.all_before,
            "at": now(),
        }
        await tx.db[COLLECTION].replace_one({"_id": event.id}, row, upsert=True, session=tx.session)

    async def handle(self, events: Sequence[Event[EventData]], tx: Transaction) -> None:
        """The handler of auth.v1 in a service that follows nothing else of it."""
        for event in events:
            if isinstance(event.data, SessionsClosed):
                await self.record(tx, cast("Event[SessionsClosed]", event))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(REREAD_S)
            try:
                await self._read()
                self._trouble = ""
            except PyMongoError as error:
                self._trouble = f"waiting: {type(error).__name__}"

    async def _read(self) -> None:
        rows: list[Document] = await self._mongo.db[COLLECTION].find().to_list(None)
        self._sessions = frozenset(session for row in rows for session in row["session_ids"])
        latest: dict[str, datetime] = {}
        for row in rows:
            if row["all_before"] is not None:
                member = row["member_number"]
                latest[member] = max(row["all_before"], latest.get(member, row["all_before"]))
        self._all_before = latest
