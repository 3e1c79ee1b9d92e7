"""A change stream on one database, read a batch at a time, that survives the database's restarts.

Raw commands, because Motor's own iteration costs a thread hop per change. The server projects each change to its
collection, key and stamp, so that no personal data crosses the wire.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bson import Timestamp
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from shared.backoff import Backoff
from shared.conflicts import passes
from shared.live.keys import milliseconds, parts
from shared.live.listeners import Change
from shared.logs import get_logger
from shared.mongo import Database, Session

BATCH_CHANGES = 1_000
WAIT_MS = 1_000
"""How long one `getMore` waits on the server: it holds one driver thread, and bounds how long `stop` takes."""
PAUSE_S = 0.005
"""Between two batches, so that a burst is read in large batches: the price is this much delay."""

_NAMESPACE = "$cmd.aggregate"  # where a cursor on a whole database lives
_CURSOR_NOT_FOUND = 43
_BATCH = {"batchSize": BATCH_CHANGES}
_WRITES = ["insert", "update", "replace"]
# A write that leaves the stamp alone is housekeeping: no member has to see it.
_STAMP = {"$ifNull": ["$fullDocument.updated_at", "$updateDescription.updatedFields.updated_at"]}

LAG = Gauge("espace_live_lag_seconds", "Age of the newest change of the last batch when it reached this process.")
FAILURES = Counter("espace_live_feed_failures_total", "Times the change stream broke.", ["error"])

log = get_logger(__name__)


class Feed:
    """Reads while `wanted()`; calls `on_changes` with each batch and `on_gap` if changes were lost."""

    def __init__(
        self,
        db: Database,
        events: Mapping[str, str],
        *,
        wanted: Callable[[], bool],
        on_changes: Callable[[Sequence[Change]], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._db = db
        self._events = dict(events)
        self._wanted, self._on_changes, self._on_gap = wanted, on_changes, on_gap
        self.open = asyncio.Event()
        """Set while the change stream stands: what is committed from then on will be told."""
        self._token: Mapping[str, Any] | None = None
        self._gap = False  # changes were lost; listeners read again once what comes after will be told

    async def run(self) -> None:
        """Follow the database until nobody wants it any more; what fails is waited out."""
        self._token, self._gap = None, False
        backoff = Backoff(first_s=0.1, cap_s=2.0)
        while self._wanted():
            try:
                await self._follow(backoff)
            except Exception as error:  # listeners must never go deaf, whatever it is
                self._note(error, first=backoff.tries == 0)
                await backoff.sleep()

    def _note(self, error: Exception, *, first: bool) -> None:
        FAILURES.labels(type(error).__name__).inc()
        if _resumable(error):
            if first:
                log.warning("live_feed_waits", error=type(error).__name__)
            return
        if isinstance(error, PyMongoError):
            log.warning("live_feed_lost_its_place", error=type(error).__name__, code=getattr(error, "code", None))
        else:
            log.error("live_feed_failed", exc_info=error)
        if self._token:  # what it would resume at may be what broke it
            self._token, self._gap = None, True

    async def _follow(self, backoff: Backoff) -> None:
        """One cursor, from the last token on, until nobody wants it; the session pins it to us (getMore demands it)."""
        async with await self._db.client.start_session() as session:
            try:
                await self._read(session, backoff)
            finally:
                self.open.clear()

    async def _read(self, session: Session, backoff: Backoff) -> None:
        pipeline = self._pipeline({"resumeAfter": self._token} if self._token else await self._present())
        cursor = await self._command(session, {"aggregate": 1, "pipeline": pipeline, "cursor": _BATCH})
        self._hand_out(cursor["firstBatch"], cursor)
        self.open.set()
        if self._gap:
            self._gap = False
            self._on_gap()
        while self._wanted():
            await asyncio.sleep(PAUSE_S)
            more = {"getMore": cursor["id"], "collection": _NAMESPACE, **_BATCH, "maxTimeMS": WAIT_MS}
            cursor = await self._command(session, more)
            self._hand_out(cursor["nextBatch"], cursor)
            backoff.reset()
        await self._db.command({"killCursors": _NAMESPACE, "cursors": [cursor["id"]]}, session=session)

    async def _present(self) -> Mapping[str, Any]:
        """Where to begin so that nothing falls between: behind the last write that a majority holds.

        By itself a change stream begins behind the last write of all. Readers see what a majority holds, which is less
        for some milliseconds: a write in between would be neither read nor told.
        """
        hello = await self._db.command("hello")
        held: Timestamp = hello["lastWrite"]["majorityOpTime"]["ts"]
        return {"startAtOperationTime": Timestamp(held.time, held.inc + 1)}

    async def _command(self, session: Session, command: dict[str, Any]) -> dict[str, Any]:
        reply = await self._db.command(command, codec_options=self._db.codec_options, session=session)
        cursor: dict[str, Any] = reply["cursor"]
        return cursor

    def _pipeline(self, start: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"$changeStream": start},
            {"$match": {"operationType": {"$in": _WRITES}, "ns.coll": {"$in": list(self._events)}}},
            {"$project": {"collection": "$ns.coll", "key": "$documentKey._id", "at": _STAMP}},
        ]

    def _hand_out(self, batch: Sequence[Mapping[str, Any]], cursor: Mapping[str, Any]) -> None:
        changes = [self._change(row) for row in batch if row.get("at")]
        if changes:
            LAG.set(max(0.0, time.time() - max(change.at_ms for change in changes) / 1000))
            self._on_changes(changes)
        self._token = cursor["postBatchResumeToken"]  # only now: what was not handed out is read again

    def _change(self, row: Mapping[str, Any]) -> Change:
        member_number, record_id = parts(row["key"])
        return Change(self._events[row["collection"]], member_number, record_id, milliseconds(row["at"]))


def _resumable(error: Exception) -> bool:
    """Whether the stream can go on from its token: the server says so, or the cursor died with its server."""
    if not isinstance(error, PyMongoError):
        return False
    labelled = error.has_error_label("ResumableChangeStreamError")
    return labelled or passes(error) or getattr(error, "code", None) == _CURSOR_NOT_FOUND
