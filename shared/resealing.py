"""Seals again, with the newest key, what an older one sealed at rest, so that the older one can be retired.

Nothing has to be listed: a sealed text says itself with which key and for which place it was sealed
(`shared.sealing`), so every text of every row of the service's database is looked at. Sealed at rest are, as of now:

| service | collection | where |
|---|---|---|
| auth | `accounts` | `facts.nir.value`, `facts.email.value`, `activated_email`, `pending.email` |
| auth | `accounts` | `second_factor.secret`, `pending_second_factor.secret` |
| auth | `undo_links` | `email` |
| claims | `members` | `facts.nir.value`, `facts.beneficiaries.value.<n>.nir` |
| claims | `card_shares` | `sealed` |
| documents | `documents`, `members` | `sealed` |
| documents | `jobs` | `data.event` of a delivery |
| notifications | `members`, `threads`, `messages` | `sealed` |
| every one | `dead_letters` | `sealed` |

(What waits in `outbox` or in notifications' `jobs` was sealed for an event, with `SEALING_KEYS`.)

One process at a time, by lease, page by page; killed anywhere, the next one begins anew and finds less. A text is
replaced only where it still is what was read, and nothing else of its row: who writes the row meanwhile wins. No event
goes out and no `updated_at` moves, so nobody's page shows a change. It begins once every running process seals with the
newest key: one that was not restarted yet could not open what it finds.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from prometheus_client import Gauge
from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from shared.at_rest_keys import AtRestKeys
from shared.backoff import Backoff
from shared.leases import Lease
from shared.logs import get_logger
from shared.mongo import Mongo
from shared.sealing import SEALED, Keyring, SealingError, beginning_at_rest, kid_at_rest

PAGE_ROWS = 50
"""Few enough to hold when each is a dead letter of the largest record."""
PAUSE_S = 0.01
"""After each page: members come first."""
POLL_S = 1.0
STUCK_S = 300.0
LEASE_S = 5.0
RENEW_S = 1.0

LEFT = Gauge("espace_at_rest_older_values", "Values still sealed at rest with an older key, where counted.", ["key"])

_RAW: Final = CodecOptions(document_class=RawBSONDocument)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A text sealed with another key than the newest: where it is in its row, and with which key."""

    path: str
    text: str
    kid: str


class _LeaseLost(Exception): ...


class Resealing:
    """The background part; with a single key in the ring it has nothing to do."""

    name = "resealing"
    required = False

    def __init__(self, mongo: Mongo, ring: Keyring, keys: AtRestKeys) -> None:
        self._mongo, self._ring, self._keys = mongo, ring, keys
        self._lease = Lease(mongo, "resealing", lasts_s=LEASE_S, renewed_s=RENEW_S)
        self._marks = SEALED.encode(), beginning_at_rest(ring.newest).encode()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Begin in the background."""
        if len(self._ring.kids) > 1:
            self._task = asyncio.create_task(self._run(), name="resealing")

    async def stop(self) -> None:
        """Whatever is left is done by who begins anew."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._lease.release()

    async def state(self) -> str:
        """`ok`, or why something stays under an older key."""
        return self._trouble or "ok"

    async def _run(self) -> None:
        backoff = Backoff(first_s=0.2, cap_s=5.0)
        while True:
            try:
                await asyncio.sleep(await self._step())
                backoff.reset()
            except _LeaseLost:
                continue
            except PyMongoError as error:
                self._trouble = f"waiting: {type(error).__name__}"
                log.warning("resealing_waits", error=type(error).__name__)
                await backoff.sleep()
            except Exception as error:  # nobody else would notice that old keys stay in use
                self._trouble = f"failing: {type(error).__name__}"
                log.exception("resealing_failed")
                await backoff.sleep()

    async def _step(self) -> float:
        """A round if there is anything to do and it is ours to do; answers how long to wait before the next step."""
        if self._keys.in_use == {self._ring.newest} or not await self._lease.hold():
            LEFT.clear()  # only who looks knows
            self._trouble = ""
            return POLL_S
        census = await self._keys.census()
        if census.newest != self._ring.newest:
            self._trouble = "waiting: another process seals with another key"
            return POLL_S
        left = await self._count()
        if left and (moved := await self._seal_again()):
            log.info("resealing", values=moved)
            return 0.0  # and look again: only a round that finds nothing is the last
        self._trouble = f"{left.total()} values cannot be sealed again" if left else ""
        settled = await self._keys.keep_only([self._ring.newest, *left.keys() & set(self._ring.kids)], census)
        if not left:
            if settled:
                log.info("resealed", key=self._ring.newest)
            return POLL_S
        log.error("resealing_stuck", left=dict(left))
        return STUCK_S

    async def _count(self) -> Counter[str]:
        """How many values are sealed with each other key; keys with none do not show."""
        left: Counter[str] = Counter()
        async for _, rows in self._pages():
            for row in rows:
                left.update(found.kid for found in self._found(row))
        for kid in {*self._ring.kids[1:], *left}:
            LEFT.labels(kid).set(left[kid])
        return left

    async def _seal_again(self) -> int:
        """Every one that opens; how many were replaced."""
        moved = 0
        async for name, rows in self._pages():
            changes = await asyncio.to_thread(lambda page: [*self._changes(page)], rows)
            if changes:
                done = await self._mongo.db[name].bulk_write([change for _, change in changes], ordered=False)
                moved += done.modified_count
                for kid, count in Counter(kid for kid, _ in changes).items():
                    LEFT.labels(kid).dec(count)
        return moved

    async def _pages(self) -> AsyncIterator[tuple[str, list[RawBSONDocument]]]:
        """Everything there is, some rows at a time, with the collection's name, as long as the lease is ours."""
        for name in await self._mongo.db.list_collection_names(filter={"type": "collection"}):
            collection = self._mongo.db.get_collection(name, codec_options=_RAW)
            rows: Any = collection.find({}, batch_size=PAGE_ROWS)  # Motor does not type the rows of such options
            while page := await rows.to_list(PAGE_ROWS):
                if not await self._lease.hold():
                    raise _LeaseLost
                yield name, page
                await asyncio.sleep(PAUSE_S)

    def _changes(self, rows: list[RawBSONDocument]) -> Iterator[tuple[str, UpdateOne]]:
        for row in rows:
            for found in self._found(row):
                try:
                    again = self._ring.sealed_again(found.text)
                except SealingError:
                    continue  # it stays counted
                where = {"_id": row["_id"], found.path: found.text}
                yield found.kid, UpdateOne(where, {"$set": {found.path: again}})

    def _found(self, row: RawBSONDocument) -> Iterator[Found]:
        sealed, newest = self._marks
        raw = bytes(row.raw)
        if raw.count(sealed) > raw.count(newest):
            for path, text in _texts(row, ""):
                kid = kid_at_rest(text)
                if kid is not None and kid != self._ring.newest:
                    yield Found(path, text, kid)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a row, with its path as MongoDB writes it."""
    if isinstance(value, str):
        yield path, value
        return
    within = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in within:
        yield from _texts(part, f"{path}.{name}" if path else str(name))
