"""Under which keys something may be sealed in a service's database: none of them may leave `AT_REST_KEYS`.

One row, `in_use`, holds the list. A key is on it before the first process seals with it, and leaves it once
`shared.resealing` has found nothing sealed with it while nobody seals with it any more. Each running process has a row
of its own that says with which key it seals. The operators read the list (`portal keys`) before they retire a key.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import PyMongoError

from shared.ids import new_id
from shared.logs import get_logger
from shared.mongo import Document, Mongo
from shared.sealing import Keyring

COLLECTION = "at_rest_keys"
BEAT_S = 10.0
FORGOTTEN_S = 30
"""So long after its last sign of life a process no longer counts: it was killed."""

_IN_USE = "in_use"

log = get_logger(__name__)


class MissingKeys(Exception):
    """Something is sealed with keys that this process was not given."""


@dataclass(frozen=True, slots=True)
class Census:
    """`newest`: what every running process seals with, None while they differ. `starts`: how many there have been."""

    newest: str | None
    starts: int


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collection; MongoDB deletes the rows of killed processes."""
    return {COLLECTION: [IndexModel([("until", ASCENDING)], expireAfterSeconds=0)]}


class AtRestKeys:
    """Says that this process is there. Without a key that is in use it does not become ready."""

    name = "at_rest_keys"
    required = True

    def __init__(self, mongo: Mongo, ring: Keyring) -> None:
        self._mongo, self._ring = mongo, ring
        self._me = new_id()
        self._task: asyncio.Task[None] | None = None
        self.in_use: frozenset[str] = frozenset(ring.kids)
        """As the last beat found it."""

    async def start(self) -> None:
        """Put our key on the list. Raises MissingKeys, so that nothing else starts."""
        await self._beat(starts=True)
        if missing := sorted(self.in_use - set(self._ring.kids)):
            log.error("at_rest_keys_missing", keys=missing)
            raise MissingKeys(", ".join(missing))
        self._task = asyncio.create_task(self._run(), name="at-rest-keys")

    async def stop(self) -> None:
        """Our row goes: nobody need wait until it is forgotten."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._mongo.db[COLLECTION].delete_one({"_id": self._me})
        except PyMongoError:
            log.debug("at_rest_row_left_to_expire")

    async def state(self) -> str:
        """`ok`: it started."""
        return "ok"

    async def census(self) -> Census:
        """Who runs now."""
        row = await self._mongo.db[COLLECTION].find_one({"_id": _IN_USE}) or {}
        alive = {"seals_with": {"$exists": True}, "$expr": {"$gt": ["$until", "$$NOW"]}}
        kids = {process["seals_with"] async for process in self._mongo.db[COLLECTION].find(alive)}
        return Census(kids.pop() if len(kids) == 1 else None, row.get("starts", 0))

    async def keep_only(self, kids: Sequence[str], census: Census) -> bool:
        """The list is these from now on; False, and it stays, if a process has started since `census`."""
        since = {"_id": _IN_USE, "starts": census.starts}
        kept = await self._mongo.db[COLLECTION].update_one(since, {"$set": {"keys": sorted(kids)}})
        if kept.matched_count:
            self.in_use = frozenset(kids)
        return bool(kept.matched_count)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self._beat()
            except PyMongoError as error:
                log.warning("at_rest_beat_missed", error=type(error).__name__)

    async def _beat(self, *, starts: bool = False) -> None:
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": FORGOTTEN_S}}
        here = [{"$set": {"seals_with": self._ring.newest, "until": until}}]
        await self._mongo.db[COLLECTION].update_one({"_id": self._me}, here, upsert=True)
        known = {"$ifNull": ["$keys", list(self._ring.kids)]}  # of a database older than the list: any of ours
        listed = {
            "keys": {"$setUnion": [known, [self._ring.newest]]},
            "starts": {"$add": [{"$ifNull": ["$starts", 0]}, int(starts)]},
        }
        row = await self._mongo.db[COLLECTION].find_one_and_update(
            {"_id": _IN_USE}, [{"$set": listed}], upsert=True, return_document=ReturnDocument.AFTER
        )
        assert row is not None  # noqa: S101 - an upsert that returns the document after
        self.in_use = frozenset(row["keys"])


async def in_use(mongo: Mongo) -> tuple[str, ...] | None:
    """The list of a service's database, for its operators; None if no process has ever written it."""
    row: Document | None = await mongo.db[COLLECTION].find_one({"_id": _IN_USE})
    return tuple(row["keys"]) if row else None
