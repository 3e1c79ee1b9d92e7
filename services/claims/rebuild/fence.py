"""What a batch of arrivals does about a rebuild, and how the rebuild waits for the batches that do not know of it.

Each process has rows, and every transaction of its batches writes one of them, as it was when the process last looked
at the rebuild's state. The rebuild therefore writes a state first and every row after it: a batch that does not know
the state has either committed before that write, or conflicts with it, or finds its row changed, and runs again.
The rows are kept among the jobs: most batches put one of these, and write both in one command.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from pymongo import UpdateOne

from services.claims.rebuild import orders
from services.claims.rebuild.orders import TWOFOLD, Rebuild, State
from services.claims.store import ClaimsStore
from shared.conflicts import WriteConflict
from shared.ids import new_id
from shared.jobs import COLLECTION as JOBS
from shared.mongo import Collection, Mongo, Transaction

WRITER: Final = "claim_writer"
"""The kind of these rows; no worker does anything about it."""
FORGOTTEN: Final = timedelta(days=7)
"""A row without a batch for so long goes with the next rebuild; a process that still lives makes it again."""
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
        tx.at_end.append(partial(self._ended, seat))
        seen = self._seen.get(seat) or await self._look(seat)
        rebuild = seen.rebuild
        if rebuild and rebuild.state is State.SWAPPING:
            raise WriteConflict
        beside = [ClaimsStore(tx.db, rebuild.target)] if rebuild and rebuild.state in TWOFOLD else []
        yield [ClaimsStore(tx.db), *beside]
        tx.write_last(JOBS, UpdateOne({"_id": seat, "fences": seen.fences}, _SIGN))

    async def hold_rebuild(self, tx: Transaction) -> None:
        """Let no claims be made anew beside `tx`, which deletes some: one of both sees the other."""
        await tx.db[orders.REBUILDS].update_one(orders.THE_ROW, {"$inc": {"held": 1}}, session=tx.session)

    def _ended(self, seat: str, committed: bool) -> None:
        self._free.append(seat)
        if not committed:  # a fence, perhaps: all rows have it then; or the row was forgotten, and is made anew
            self._seen.clear()

    async def _look(self, seat: str) -> _Seen:
        """The row first: a state that is written after that is fenced after that too."""
        row = await self._rows.find_one({"_id": seat})
        fences = row["fences"] if row else await self._make(seat)
        seen = _Seen(fences, await orders.find(self._db))
        if seen.rebuild and seen.rebuild.state is State.SWAPPING:  # nothing fences its end
            self._seen.pop(seat, None)
        else:
            self._seen[seat] = seen
        return seen

    async def _make(self, seat: str) -> int:
        """A row without fences; one that a rebuild reached meanwhile has more, and is looked at again."""
        made = {**_SIGN, "$setOnInsert": {"kind": WRITER, "fences": 0}}
        await self._rows.update_one({"_id": seat}, made, upsert=True)
        return 0

    # For the rebuild

    async def passed(self) -> None:
        """Return once every batch that does not see what was committed before this call is over."""
        await self._rows.delete_many({"kind": WRITER, "at": {"$lt": datetime.now(UTC) - FORGOTTEN}})
        for seat in await self._rows.find({"kind": WRITER}, ["_id"]).to_list(None):
            await self._rows.update_one({"_id": seat["_id"]}, {"$inc": {"fences": 1}})

    @property
    def _rows(self) -> Collection:
        return self._db[JOBS]
