"""`sign_in_attempts`: what failed lately, one document per identifier, known or not; `_id` is its lookup key.

`tries`: [{`id`, `at`, `where`, `known`, `letter`, `blocks`, `forgiven`}]. `where` is an HMAC of the network or of the
known device, `known` says which. `letter`: what was typed has the form of a letter's password, which nobody guesses: it
is on the short counter only. `blocks`: the failure that began a block there. `forgiven`: a success or an unlock took it
off the short counter; the one of 24 hours keeps it.

An attempt is counted before the password is looked at and taken back if it succeeds, each in one atomic update on the
database server's clock that decides all counters at once: however many tries come at the same time, no more than the
limit are ever hashed. A try that is refused changes nothing in the document, so that whoever hammers an identifier
never makes the transaction of the member who signs in run again. It holds at most `per_day` tries of unknown devices,
as many of each known one, and the newest `LETTERS_HELD` of a letter's form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from pymongo import ReturnDocument

from shared.ids import new_id
from shared.mongo import Document, Mongo, Transaction

DAY: Final = timedelta(hours=24)
LETTERS_HELD: Final = 100
"""Of 50 networks in 15 minutes; whoever has more of them gets more tries at 64 random bits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_failures` within `block` block for `block`, where they were made; `per_day` within 24 hours block too."""

    max_failures: int
    block: timedelta
    per_day: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a try comes from: an HMAC of the account's known device, or of the network of any other."""

    where: str
    known: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `refused`: it came while blocked and was not counted. `left`: how many more may fail."""

    identifier: str
    id: str
    place: Place
    refused: bool
    left: int
    blocked_until: datetime | None
    """When the block of this place ends, if it is blocked now: by this try, unless it was refused."""
    retry_after_s: int | None
    """Seconds until then."""
    everywhere: bool = False
    """The day's failures are full: no unknown device is let in, wherever it is."""


class Attempts:
    """Shared by every replica; rows go by themselves once they mean nothing."""

    def __init__(self, mongo: Mongo, limits: Limits) -> None:
        self._collection = mongo.db["sign_in_attempts"]
        self._limits = limits

    async def begin(self, identifier: str, place: Place, *, letter: bool = False) -> Attempt:
        """Count a try as failed until it is known better, unless its place is blocked.

        `letter`: it has the form of a letter's password.
        """
        attempt_id = new_id()
        row = await self._collection.find_one_and_update(
            {"_id": identifier},
            self._counted(attempt_id, place, letter=letter),
            upsert=True,
            return_document=ReturnDocument.AFTER,
            projection={"tries": 1, "now": "$$NOW"},
        )
        assert row is not None  # noqa: S101 - an upsert that returns the document after
        day = _of_the_day(row["tries"], place, row["now"], letter)
        left, until = standing(row["tries"], place, self._limits, row["now"], letter=letter)
        return Attempt(
            identifier=identifier,
            id=attempt_id,
            place=place,
            refused=all(counted["id"] != attempt_id for counted in row["tries"]),
            left=left,
            blocked_until=until,
            retry_after_s=max(1, ceil((until - row["now"]).total_seconds())) if until else None,
            everywhere=not place.known and len(day) >= self._limits.per_day,
        )

    async def take_back(self, attempt: Attempt) -> None:
        """Uncount a try that was neither right nor wrong (the password could not be checked)."""
        still_full = {"$gte": [_count(self._recent(attempt.place)), self._limits.max_failures]}
        kept_block = {"blocks": {"$and": ["$$try.blocks", still_full]}}
        update = [_without(attempt), _changed(_here(attempt.place), kept_block)]
        await self._collection.update_one({"_id": attempt.identifier}, update)

    async def succeeded(self, tx: Transaction, attempt: Attempt) -> None:
        """Uncount a try that was right, and forgive the failures of its place: the member is in."""
        update = [_without(attempt), _changed(_here(attempt.place), {"forgiven": True})]
        await self._collection.update_one({"_id": attempt.identifier}, update, session=tx.session)

    async def forgive(self, tx: Transaction, identifier: str) -> None:
        """Lift the blocks of every place, but none of 24 hours: the member unlocked by mail."""
        everywhere = _changed(True, {"forgiven": True})
        there = {"_id": identifier, "tries": {"$exists": True}}
        await self._collection.update_one(there, [everywhere], session=tx.session)

    async def clear(self, tx: Transaction, identifier: str) -> None:
        """Forget all failures with that identifier, wherever they came from: the password was reset."""
        await self._collection.delete_one({"_id": identifier}, session=tx.session)

    async def stands(self, tx: Transaction, identifier: str, attempt_id: str) -> bool:
        """Whether that failure still counts: nobody got in there since, no unlock, no reset."""
        counts = {"$elemMatch": {"id": attempt_id, "forgiven": False}}
        found = await self._collection.find_one({"_id": identifier, "tries": counts}, {"_id": 1}, session=tx.session)
        return found is not None

    def _counted(self, attempt_id: str, place: Place, *, letter: bool) -> list[dict[str, Any]]:
        """The update: drop what is past its day, then count unless blocked, and begin the block at the limit."""
        limits, recent = self._limits, self._recent(place)
        of_the_day = {"$and": [_here(place) if place.known else {"$not": ["$$try.known"]}, {"$not": [_LETTER]}]}
        blocked_here = {"$gt": [_count({"$and": [recent, "$$try.blocks"]}), 0]}
        blocked_today = False if letter else {"$gte": [_count(of_the_day), limits.per_day]}
        refused = {"$or": [blocked_here, blocked_today]}
        this = {
            "id": attempt_id,
            "at": "$$NOW",
            "where": place.where,
            "known": place.known,
            "letter": letter,
            "blocks": {"$gte": [{"$add": [_count(recent), 1]}, limits.max_failures]},
            "forgiven": False,
        }
        letters = {"$slice": [_filtered("$tries", _LETTER), -LETTERS_HELD]}
        return [
            {"$set": {"tries": _filtered({"$ifNull": ["$tries", []]}, {"$gt": ["$$try.at", _ago(DAY)]})}},
            {"$set": {"counted": {"$cond": [refused, [], [this]]}}},
            {"$set": {"tries": {"$concatArrays": ["$tries", "$counted"]}}},
            {"$set": {"tries": {"$concatArrays": [_filtered("$tries", {"$not": [_LETTER]}), letters]}}},
            {"$set": {"expires_at": {"$cond": [{"$eq": ["$counted", []]}, "$expires_at", _ago(-DAY)]}}},
            {"$unset": "counted"},
        ]

    def _recent(self, place: Place) -> dict[str, Any]:
        """Whether `$$try` is on the short counter of `place`."""
        fresh = {"$gt": ["$$try.at", _ago(self._limits.block)]}
        return {"$and": [_here(place), fresh, {"$not": ["$$try.forgiven"]}]}


def standing(
    tries: list[Document], place: Place, limits: Limits, now: datetime, *, letter: bool = False
) -> tuple[int, datetime | None]:
    """How many more tries may fail at `place`, and when its block ends (the last one, if two hold), if it has one.

    `letter`: tries of the form of a letter's password, for which the day does not count.
    """
    here = [known for known in tries if known["where"] == place.where]
    recent = [known for known in here if not known["forgiven"] and known["at"] > now - limits.block]
    day = _of_the_day(tries, place, now, letter)
    ends = [known["at"] + limits.block for known in recent if known["blocks"]]
    if len(day) >= limits.per_day:
        ends.append(day[-limits.per_day] + DAY)
    if ends:
        return 0, max(ends)
    return max(0, min(limits.max_failures - len(recent), limits.per_day - len(day))), None


def _of_the_day(tries: list[Document], place: Place, now: datetime, letter: bool) -> list[datetime]:
    """When the tries were that count for the day at `place`, oldest first."""
    counted = [known for known in tries if known["where"] == place.where or not (place.known or known["known"])]
    return sorted(known["at"] for known in counted if not (letter or known.get("letter")) and known["at"] > now - DAY)


_LETTER: Final = "$$try.letter"


def _here(place: Place) -> dict[str, Any]:
    return {"$eq": ["$$try.where", place.where]}


def _filtered(tries: object, condition: object) -> dict[str, Any]:
    return {"$filter": {"input": tries, "as": "try", "cond": condition}}


def _count(condition: object) -> dict[str, Any]:
    return {"$size": _filtered("$tries", condition)}


def _without(attempt: Attempt) -> dict[str, Any]:
    return {"$set": {"tries": _filtered("$tries", {"$ne": ["$$try.id", attempt.id]})}}


def _changed(which: object, change: Mapping[str, object]) -> dict[str, Any]:
    """The stage that makes `change` to each try for which `which` holds."""
    changed = {"$cond": [which, {"$mergeObjects": ["$$try", change]}, "$$try"]}
    return {"$set": {"tries": {"$map": {"input": "$tries", "as": "try", "in": changed}}}}


def _ago(time: timedelta) -> dict[str, Any]:
    """That long before now on the server's clock; of a negative time, after it."""
    amount = round(time.total_seconds() * 1000)
    return {"$dateSubtract": {"startDate": "$$NOW", "unit": "millisecond", "amount": amount}}
