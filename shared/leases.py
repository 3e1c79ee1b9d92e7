"""One process of a service at a time: a lease in its database, compared on the database server's clock."""

import time
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import PyMongoError

from shared.ids import new_id
from shared.logs import get_logger
from shared.mongo import Mongo
from shared.outbox import LEASES

log = get_logger(__name__)


class Lease:
    """A process that is killed while it holds the lease is replaced within `lasts_s`; asked for it renews by itself."""

    def __init__(self, mongo: Mongo, name: str, *, lasts_s: float, renewed_s: float) -> None:
        self._mongo, self._name = mongo, name
        self._lasts_s, self._renewed_s = lasts_s, renewed_s
        self._me = new_id()
        self._until = 0.0

    @property
    def held(self) -> bool:
        """As the last `hold` found it."""
        return self._until > 0

    async def hold(self) -> bool:
        """Take or renew the lease; the server's clock decides, ours is trusted only as a stopwatch."""
        now = time.monotonic()
        if now < self._until - (self._lasts_s - self._renewed_s):
            return True
        mine = {"_id": self._name, "$or": [{"owner": self._me}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": int(self._lasts_s * 1000)}}
        taken = await self._leases.update_one(mine, [{"$set": {"owner": self._me, "until": until}}])
        held = bool(taken.matched_count)
        if not held:  # another replica's, or the very first: an upsert may not compare with $$NOW
            first = {"owner": None, "until": datetime.fromtimestamp(0, UTC)}
            await self._leases.update_one({"_id": self._name}, {"$setOnInsert": first}, upsert=True)
        self._until = now + self._lasts_s if held else 0.0
        return held

    async def release(self) -> None:
        """Give it back, so that another replica need not wait."""
        self._until = 0.0
        try:
            await self._leases.delete_one({"_id": self._name, "owner": self._me})
        except PyMongoError:
            log.debug("lease_left_to_expire")

    @property
    def _leases(self) -> Any:
        return self._mongo.db[LEASES]
