"""What a batch of arrivals does about a rebuild, and how the rebuild waits for the batches that do not know of it.

Each process has rows, and every transaction of its batches writes one of them, as it was when the process last looked
at the rebuild's state. The rebuild therefore writes a state first and every row after it: a batch that does not know
the state has either committed before that write, or conflicts with it, or finds its row changed, and runs again.
"""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from pymongo import ASCENDING, IndexModel
from pymongo.errors import PyMongoError

from services.claims.rebuild import orders
from services.claims.rebuild.orders import TWOFOLD, Rebuild, State
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """The rebuild, read after its row was found with so many `fences`: no other state of it is behind that fence."""

    fences: int
    rebuild: Rebuild | None


class Fence:
    """Of one process. Its batches that run side by side write a row each, or they would conflict with each other."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._free = deque(new_id() for _ in range(SEATS))
        self._seen: dict[str, _Seen] = {}

    async def register(self) -> None:
        """Make this process's rows, outside of any transaction, and look at the rebuild."""
        for seat in tuple(self._free):  # batches may begin meanwhile
            await self._look(seat)

    # For batches

    @asynccontextmanager
    async def batch(self, tx: Transaction) -> AsyncIterator[list[ClaimsStore]]:
        """What a batch has to write, each in the same way: the claims, and beside them those that are rebuilt.

        For the moment in which these take their place it raises WriteConflict: nothing is written then.
        """
        seat = self._free.popleft() if self._free else new_id()  # the one that has rested longest
        tx.at_end.append(partial(self._free.append, seat))
        seen = self._seen.get(seat) or await self._look(seat)
        rebuild = seen.rebuild
        if rebuild and rebuild.state is State.SWAPPING:
            raise WriteConflict
        beside = [ClaimsStore(tx.db, rebuild.target)] if rebuild and rebuild.state in TWOFOLD else []
        yield [ClaimsStore(tx.db), *beside]
        await self._sign(seat, seen, tx)

    async def hold_rebuild(self, tx: Transaction) -> None:
        """Let no claims be made anew beside `tx`, which deletes some: one of both sees the other."""
        await tx.db[orders.REBUILDS].update_one(orders.THE_ROW, {"$inc": {"held": 1}}, session=tx.session)

    async def _sign(self, seat: str, seen: _Seen, tx: Transaction) -> None:
        row = {"_id": seat, "fences": seen.fences}
        try:
            signed = await self._writers.update_one(row, _SIGN, session=tx.session)
        except PyMongoError:  # a fence, perhaps: all rows have it then
            self._seen.clear()
            raise
        if not signed.matched_count:
            # A row of this transaction's own making would conflict with nothing; the others are likely to lack theirs.
            await self._look(seat)
            await self.register()
            raise WriteConflict

    async def _look(self, seat: str) -> _Seen:
        """The row first: a state that is written after that is fenced after that too."""
        row = await self._writers.find_one({"_id": seat})
        fences = row["fences"] if row else await self._make(seat)
        seen = _Seen(fences, await orders.find(self._db))
        if seen.rebuild and seen.rebuild.state is State.SWAPPING:  # nothing fences its end
            self._seen.pop(seat, None)
        else:
            self._seen[seat] = seen
        return seen

    async def _make(self, seat: str) -> int:
        """A row without fences; one that a rebuild reached meanwhile has more, and is looked at again."""
        await self._writers.update_one({"_id": seat}, {**_SIGN, "$setOnInsert": {"fences": 0}}, upsert=True)
        return 0

    # For the rebuild

    async def passed(self) -> None:
        """Return once every batch that does not see what was committed before this call is over."""
        for seat in await self._writers.find({}, ["_id"]).to_list(None):
            await self._writers.update_one({"_id": seat["_id"]}, {"$inc": {"fences": 1}})

    @property
    def _writers(self) -> Collection:
        return self._db[WRITERS]
