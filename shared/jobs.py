"""Slow work that must not be lost: a row written with the state that asks for it, done later by a leased worker.

A worker leases a row on the database server's clock, does the slow work, then runs one transaction in which it writes
the result and calls `Jobs.done`. A worker killed at any moment leaves the row to the next one when the lease ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Collection as Group
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReplaceOne, ReturnDocument

from shared.ids import new_id
from shared.mongo import Collection, Document, Mongo, Transaction
from shared.tracing import current_traceparent

COLLECTION = "jobs"
LEASE_S = 60


class Postpone(Exception):
    """Not yet: try again in `seconds`, without counting an attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds} s")
        self.seconds = seconds


class Abandon(Exception):
    """Never: drop the job. `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `data` holds ids and sealed values; `attempts` counts the failed tries before this one."""

    id: str
    kind: str
    member_number: str
    data: Document
    attempts: int
    first_put_at: datetime
    expires_at: datetime | None
    lease: str
    traceparent: str | None = None
    """The trace in which the job was put; what is made of it goes on in that trace."""

    def as_long_again(self, *, at_most_s: float) -> Postpone:
        """To raise where something must arrive first whose arrival wakes the job: a wake-up can be missed.

        A transaction that brings it cannot see, and so does not wake, a job that is put beside it. Looked at again
        after as long as it has waited already, the job then loses no more than it had lost.
        """
        waited_s = (datetime.now(UTC) - self.first_put_at).total_seconds()
        return Postpone(min(max(waited_s, 1.0), at_most_s))


JobHandler = Callable[[Job], Awaitable[None]]


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collection and the index by which workers find what is due."""
    return {
        COLLECTION: [
            IndexModel([("kind", ASCENDING), ("due_at", ASCENDING)]),
            IndexModel([("member_number", ASCENDING)]),
        ]
    }


class Jobs:
    """The job rows of a service."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self.put_here = asyncio.Event()
        """Set when this process wrote a job: wakes its own workers."""

    async def put(
        self,
        tx: Transaction,
        *,
        id: str,  # noqa: A002 - the job's id
        kind: str,
        member_number: str,
        data: Document,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
        first_put_at: datetime | None = None,
    ) -> None:
        """Write or replace a job as one of the last things `tx` does. After `expires_at` it is dropped instead of done.

        `first_put_at`: of a job that is put again, when that was.
        """
        now = datetime.now(UTC)
        row = {
            "kind": kind,
            "member_number": member_number,
            "data": data,
            "attempts": 0,
            "first_put_at": first_put_at or now,
            "due_at": not_before or now,
            "expires_at": expires_at,
            "lease": None,
            "traceparent": current_traceparent.get(),
        }
        tx.write_last(COLLECTION, ReplaceOne({"_id": id}, row, upsert=True))
        if not_before is None:
            self.put_here.set()

    async def change(self, tx: Transaction, kind: str, change: Document) -> None:
        """Change every row of `kind` with these update operators."""
        await (await _rows(tx)).update_many({"kind": kind}, change, session=tx.session)

    async def drop(self, tx: Transaction, selection: Document) -> None:
        """Delete the jobs that match `selection`."""
        await (await _rows(tx)).delete_many(selection, session=tx.session)

    async def withdraw(self, tx: Transaction, job_id: str) -> bool:
        """Delete a job that nobody has begun; `False` if somebody has, or it is not there."""
        gone = await (await _rows(tx)).delete_one({"_id": job_id, "lease": None}, session=tx.session)
        return gone.deleted_count == 1

    async def data_of(self, tx: Transaction, member_number: str) -> list[Document]:
        """What the member's jobs are about, whatever their kind."""
        rows = await _rows(tx)
        found = rows.find({"member_number": member_number}, {"data": 1}, session=tx.session)
        return [row["data"] async for row in found]

    async def wake(self, tx: Transaction, *, kind: str, member_numbers: Group[str]) -> None:
        """What these members' jobs of `kind` waited for has come: due now. Who works on one loses its lease."""
        where = {"kind": kind, "member_number": {"$in": sorted(member_numbers)}}
        change = {"$set": {"due_at": datetime.now(UTC), "lease": None}}
        await (await _rows(tx)).update_many(where, change, session=tx.session)
        self.put_here.set()

    async def done(self, tx: Transaction, job: Job) -> bool:
        """Delete the row; `False` if it was replaced or taken over meanwhile: then write nothing."""
        gone = await (await _rows(tx)).delete_one({"_id": job.id, "lease": job.lease}, session=tx.session)
        return gone.deleted_count == 1

    async def lease(self, kinds: Sequence[str]) -> Job | None:
        """Take the job that has been due longest and hold it for `LEASE_S` on the server's clock."""
        lease = new_id()
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LEASE_S}}
        row = await self._mongo.db[COLLECTION].find_one_and_update(
            {"kind": {"$in": list(kinds)}, "due_at": {"$lte": datetime.now(UTC)}},
            [{"$set": {"due_at": until, "lease": lease}}],
            sort=[("due_at", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        return _job(row) if row else None

    async def later(self, job: Job, delay_s: float, *, failed: bool) -> None:
        """Give the job back, due again in `delay_s`."""
        due = datetime.now(UTC) + timedelta(seconds=delay_s)
        change: dict[str, Any] = {"$set": {"due_at": due, "lease": None}, "$inc": {"attempts": int(failed)}}
        await self._mongo.db[COLLECTION].update_one({"_id": job.id, "lease": job.lease}, change)

    async def forget(self, job: Job) -> None:
        """Drop a job that will never be done."""
        await self._mongo.db[COLLECTION].delete_one({"_id": job.id, "lease": job.lease})

    async def waiting(self, kinds: Sequence[str]) -> int:
        """How many of these are due."""
        due = {"kind": {"$in": list(kinds)}, "due_at": {"$lte": datetime.now(UTC)}}
        return int(await self._mongo.db[COLLECTION].count_documents(due, limit=10_000))


async def _rows(tx: Transaction) -> Collection:
    """The rows as `tx` sees them, with those it has put."""
    await tx.flush(COLLECTION)
    return tx.db[COLLECTION]


def _job(row: Document) -> Job:
    return Job(
        id=row["_id"],
        kind=row["kind"],
        member_number=row["member_number"],
        data=row["data"],
        attempts=row["attempts"],
        first_put_at=row.get("first_put_at") or row["due_at"],  # rows of an earlier release have none
        expires_at=row["expires_at"],
        lease=row["lease"],
        traceparent=row.get("traceparent"),
    )
