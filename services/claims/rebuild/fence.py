"""What a batch of arrivals does about a rebuild, and how the rebuild waits for the batches that do not know of it.

Each process has a row that every transaction of its batches writes. A batch whose snapshot is older than a state of the
rebuild does not see that state. The rebuild therefore writes the state first and each process's row after it: a batch
under way that does not see the state either has committed before that write, or conflicts with it and runs again.
"""

from collections.abc import Mapping, Sequence
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


class Fence:
    """Of one process."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._me = new_id()

    # For batches

    async def stores(self, tx: Transaction) -> list[ClaimsStore]:
        """What a batch has to write, each in the same way: the claims, and beside them those that are rebuilt.

        For the moment in which these take their place it raises WriteConflict: nothing is written then.
        """
        rebuild = await orders.find(tx.db, tx.session)
        if rebuild and rebuild.state is State.SWAPPING:
            raise WriteConflict
        beside = [ClaimsStore(tx.db, rebuild.target)] if rebuild and rebuild.state in TWOFOLD else []
        return [ClaimsStore(tx.db), *beside]

    async def sign(self, tx: Transaction) -> None:
        """The last write of a batch that asked for `stores`."""
        signed = await self._writers.update_one({"_id": self._me}, _SIGN, session=tx.session)
        if not signed.matched_count:  # a row of this transaction's own making would conflict with nothing
            await self.register()
            raise WriteConflict

    async def register(self) -> None:
        """Make this process's row, outside of any transaction."""
        await self._writers.update_one({"_id": self._me}, _SIGN, upsert=True)

    async def hold_rebuild(self, tx: Transaction) -> None:
        """Let no batch of the log be folded beside `tx`, which deletes some of it: one of both sees the other."""
        await tx.db[orders.REBUILDS].update_one(orders.THE_ROW, {"$inc": {"held": 1}}, session=tx.session)

    # For the rebuild

    async def passed(self) -> None:
        """Return once every batch that does not see what was committed before this call is over."""
        for writer in await self._writers.find({}, {"_id": 1}).to_list(None):
            await self._writers.update_one({"_id": writer["_id"]}, {"$inc": {"fences": 1}})

    @property
    def _writers(self) -> Collection:
        return self._db[WRITERS]


_SIGN: Final = {"$inc": {"batches": 1}, "$currentDate": {"at": True}}
