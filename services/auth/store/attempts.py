"""`sign_in_attempts`: the counter of failed sign-ins, one document per identifier and network.

`identifier` is its lookup key, by which a reset finds the counters of every network.

An attempt is counted before the password is looked at and taken back if it succeeds, each in one atomic update on the
database server's clock: however many tries come at once, no more than the limit are ever hashed.
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from pymongo import ReturnDocument

from shared.ids import new_id
from shared.mongo import Document, Mongo, Transaction


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_failures` within `window_s` block for `block_s`, in seconds."""

    max_failures: int
    window_s: int
    block_s: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `refused`: it came while blocked and was not counted. `left`: how many more may fail."""

    key: str
    id: str
    refused: bool
    left: int
    retry_after_s: int | None
    """Seconds until the block ends, if this is blocked now."""


class Attempts:
    """Shared by every replica; rows go by themselves once they mean nothing."""

    def __init__(self, mongo: Mongo, limits: Limits) -> None:
        self._collection = mongo.db["sign_in_attempts"]
        self._limits = limits

    async def begin(self, key: str, *, identifier: str) -> Attempt:
        """Count a try with `identifier` as failed until it is known better, unless `key` is blocked."""
        attempt_id = new_id()
        row = await self._collection.find_one_and_update(
            {"_id": key}, self._counted(attempt_id, identifier), upsert=True, return_document=ReturnDocument.AFTER
        )
        assert row is not None  # noqa: S101 - an upsert that returns the document after
        return self._judged(key, attempt_id, row)

    async def take_back(self, attempt: Attempt) -> None:
        """Uncount a try that was neither right nor wrong (the password could not be checked)."""
        without = {"$filter": {"input": "$tries", "as": "try", "cond": {"$ne": ["$$try.id", attempt.id]}}}
        still_full = {"$gte": [{"$size": "$tries"}, self._limits.max_failures]}
        unblocked = {"$cond": [still_full, "$blocked_until", None]}
        update: list[dict[str, Any]] = [{"$set": {"tries": without}}, {"$set": {"blocked_until": unblocked}}]
        await self._collection.update_one({"_id": attempt.key}, update)

    async def clear(self, tx: Transaction, attempt: Attempt) -> None:
        """Forget the failures: the member is in."""
        await self._collection.delete_one({"_id": attempt.key}, session=tx.session)

    async def clear_all(self, tx: Transaction, identifier: str) -> None:
        """Forget the failures with that identifier, wherever they came from: the password was reset."""
        await self._collection.delete_many({"identifier": identifier}, session=tx.session)

    def _counted(self, attempt_id: str, identifier: str) -> list[dict[str, Any]]:
        """The update: drop what is past the window, count, begin the block when the limit is reached."""
        limits = self._limits
        recent = {
            "$filter": {
                "input": {"$ifNull": ["$tries", []]},
                "as": "try",
                "cond": {"$gt": ["$$try.at", _shifted("$dateSubtract", limits.window_s)]},
            }
        }
        this = [{"id": attempt_id, "at": "$$NOW"}]
        full = {"$gte": [{"$size": "$tries"}, limits.max_failures]}
        block_end = {"$cond": [full, _shifted("$dateAdd", limits.block_s), None]}
        return [
            {"$set": {"refused": {"$gt": ["$blocked_until", "$$NOW"]}, "tries": recent, "seen_at": "$$NOW"}},
            {"$set": {"identifier": identifier}},
            {"$set": {"tries": {"$cond": ["$refused", "$tries", {"$concatArrays": ["$tries", this]}]}}},
            {"$set": {"blocked_until": {"$cond": ["$refused", "$blocked_until", block_end]}}},
            {"$set": {"expires_at": {"$max": [_shifted("$dateAdd", limits.window_s), "$blocked_until"]}}},
        ]

    def _judged(self, key: str, attempt_id: str, row: Document) -> Attempt:
        blocked_until: datetime | None = row["blocked_until"]
        return Attempt(
            key=key,
            id=attempt_id,
            refused=bool(row["refused"]),
            left=0 if blocked_until else max(0, self._limits.max_failures - len(row["tries"])),
            retry_after_s=max(1, ceil((blocked_until - row["seen_at"]).total_seconds())) if blocked_until else None,
        )


def _shifted(operator: str, seconds: int) -> dict[str, Any]:
    return {operator: {"startDate": "$$NOW", "unit": "second", "amount": seconds}}
