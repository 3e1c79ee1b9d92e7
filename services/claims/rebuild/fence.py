"""What a batch of arrivals does about a rebuild, and how the rebuild waits for the batches that do not know of it.

Each process has rows, and every transaction of its batches writes one of them. A batch whose snapshot is older than a
state of the rebuild does not see that state. The rebuild therefore writes the state first and every row after it: a
batch under way that does not see the state has either committed before that write, or conflicts with it and runs again.
"""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from pymongo import ASCENDING, IndexModel

from services.claims.rebuild import orders
from services.claims.rebuild.orders import TWOFOLD, State
from services.claims.store import ClaimsStore
from shared.ids import new_id
from shared.mongo import Collection, Mongo, Transaction, WriteConflict

WRITERS: Final = "claim_writers"
FORGOTTEN_S: Final = 7 * 86_400
"""After so long without a batch a row goes; a process that still lives makes it again."""

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    WRITERS: [IndexModel([("at", ASCENDING)], name="forgotten", expireAfterSeconds=FORGOTTEN_S)]
}
SEATS: Final = 4
"""Rows that a process begins with; more batches at once than that make more."""

_SIGN: Final = {"$inc": {"batches": 1}, "$currentDate": {"at": True}}


class Fence:
    """Of one process. Its batches that run side by side write a row each, or they would conflict with each other."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._free = deque(new_id() for _ in range(SEATS))

    async def register(self) -> None:
        """Make this process's rows, outside of any transaction."""
        for seat in tuple(self._free):  # batches may begin meanwhile
            await self._make(seat)

    # For batches

    @asynccontextmanager
    async def batch(self, tx: Transaction) -> AsyncIterator[list[ClaimsStore]]:
        """What a batch has to write, each in the same way: the claims, and beside them those that are rebuilt.

        For the moment in which these take their place it raises WriteConflict: nothing is written then.
        """
        seat = self._free.popleft() if self._free else new_id()  # the one that has rested longest
        tx.at_end.append(partial(self._free.append, seat))
        yield await self._stores(tx)
        await self._sign(seat, tx)

    async def hold_rebuild(self, tx: Transaction) -> None:
        """Let no batch of the log be folded beside `tx`, which deletes some of it: one of both sees the other."""
        await tx.db[orders.REBUILDS].update_one(orders.THE_ROW, {"$inc": {"held": 1}}, session=tx.session)

    async def _stores(self, tx: Transaction) -> list[ClaimsStore]:
        rebuild = await orders.find(tx.db, tx.session)
        if rebuild and rebuild.state is State.SWAPPING:
            raise WriteConflict
        beside = [ClaimsStore(tx.db, rebuild.target)] if rebuild and rebuild.state in TWOFOLD else []
        return [ClaimsStore(tx.db), *beside]

    async def _sign(self, seat: str, tx: Transaction) -> None:
        signed = await self._writers.update_one({"_id": seat}, _SIGN, session=tx.session)
        if not signed.matched_count:  # a row of this transaction's own making would conflict with nothing
            await self._make(seat)
            await self.register()  # the others are likely to lack theirs too
            raise WriteConflict

    async def _make(self, seat: str) -> None:
        await self._writers.update_one({"_id": seat}, _SIGN, upsert=True)

    # For the rebuild

    async def passed(self) -> None:
        """Return once every batch that does not see what was committed before this call is over."""
        for seat in await self._writers.find({}, ["_id"]).to_list(None):
            await self._writers.update_one({"_id": seat["_id"]}, {"$inc": {"fences": 1}})

    @property
    def _writers(self) -> Collection:
        return self._db[WRITERS]
