"""Every query and index of the claims service. What reads for a member takes the member as an argument."""

import re
from collections.abc import Collection as Group
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from services.claims.models import Claim, Fact, Listing, Member, Order, PaidLines, Payee, PaymentSum, Status
from services.claims.rules import coverage_key, folded, original_key
from services.claims.summary import added_up, paid_lines
from shared import inbox
from shared.events.claims_payment import ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed, ClaimsPaymentEvent
from shared.events.membership import Coverage
from shared.live import key
from shared.mongo import Database, Document, Transaction

CLAIMS = "claims"
MEMBERS = "members"
STATEMENTS = "statements"

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    CLAIMS: [
        # A member's list, newest first, whatever else it is filtered by: one member has hundreds of claims, not more.
        IndexModel([("member_number", ASCENDING), ("date", DESCENDING), ("claim_id", DESCENDING)], name="list"),
        # What changed since a stream was cut (shared.live).
        IndexModel([("member_number", ASCENDING), ("updated_at", ASCENDING)], name="live"),
        # The reversals of a claim that arrives after them; few records have the field.
        IndexModel([("reverses", ASCENDING)], name="reversals", sparse=True),
    ],
    MEMBERS: [],  # read by member number alone, which is `_id`
    STATEMENTS: [IndexModel([("member_number", ASCENDING)], name="member")],  # which payments were announced
}

_FACTS: Mapping[str, type[ClaimsPaymentEvent]] = {
    "received": ClaimReceived,
    "refused": ClaimRefused,
    "paid": ClaimPaid,
    "reversed_by": ClaimReversed,
    "reversal": ClaimReversed,
}
_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which claims of a member: days `YYYY-MM-DD`, both included; `text` as the member typed it."""

    first_day: str | None = None
    last_day: str | None = None
    beneficiary_rank: int | None = None
    status: Status | None = None
    domain: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The last claim of the page before."""

    date: str
    claim_id: str

    @classmethod
    def of(cls, claim: Claim, listing: Listing) -> "Position":
        """Where this claim stands in the list."""
        return cls(listing.date, claim.claim_id)


@dataclass(frozen=True, slots=True)
class PaymentPosition:
    """The last payment of the page before."""

    date: str
    payment_id: str


class ClaimsStore:
    """The claims and the members of one database."""

    def __init__(self, db: Database) -> None:
        self._claims, self._members, self._log = db[CLAIMS], db[MEMBERS], db[inbox.COLLECTION]
        self._statements = db[STATEMENTS]

    # For a member

    async def list_claims(
        self, member_number: str, which: Filter, after: Position | None, limit: int
    ) -> list[tuple[Claim, Listing]]:
        """Up to `limit` claims after that position, newest first; those that show nothing yet are left out."""
        query = list_query(member_number, which, after)
        cursor = self._claims.find(query).sort([("date", DESCENDING), ("claim_id", DESCENDING)]).limit(limit)
        return [(_claim(row), _listing(row)) for row in await cursor.to_list(limit)]

    async def find_claim(self, member_number: str, claim_id: str) -> tuple[Claim, Listing] | None:
        """One claim of this member that shows something."""
        row = await self._claims.find_one({"_id": key(member_number, claim_id), "status": {"$exists": True}})
        return (_claim(row), _listing(row)) if row else None

    async def find_member(self, member_number: str) -> Member | None:
        """What is known of the member; claims may come before their member does."""
        row = await self._members.find_one({"_id": member_number})
        return _member(row) if row else None

    async def list_payments(self, member_number: str, after: PaymentPosition | None, limit: int) -> list[PaymentSum]:
        """Up to `limit` payments after that position, newest first."""
        stages: list[Document] = [*_payments({"member_number": member_number, "paid": {"$exists": True}})]
        if after is not None:
            older = {"paid_on": {"$lt": after.date}}, {"paid_on": after.date, "_id": {"$lt": after.payment_id}}
            stages.append({"$match": {"$or": list(older)}})
        stages += [{"$sort": {"paid_on": DESCENDING, "_id": DESCENDING}}, {"$limit": limit}]
        return [_payment_sum(row) for row in await self._claims.aggregate(stages).to_list(limit)]

    async def find_payment(
        self, member_number: str, payment_id: str, tx: Transaction | None = None
    ) -> PaymentSum | None:
        """One payment of this member, if any claim of theirs is in it."""
        stages = _payments(_in_payment(member_number, payment_id))
        rows = await self._claims.aggregate(stages, session=tx.session if tx else None).to_list(1)
        return _payment_sum(rows[0]) if rows else None

    async def claims_of_payment(self, member_number: str, payment_id: str, limit: int) -> list[tuple[Claim, Listing]]:
        """Up to `limit` of this member's claims in that payment, in the order of their ids."""
        cursor = self._claims.find(_in_payment(member_number, payment_id)).sort("claim_id", ASCENDING).limit(limit)
        return [(_claim(row), _listing(row)) for row in await cursor.to_list(limit)]

    async def paid_lines(self, member_number: str) -> list[PaidLines]:
        """All that was paid for this member, added up: no more rows than the member's claims have domains."""
        return paid_lines(await self._claims.aggregate(summary_query(member_number)).to_list(None))

    async def announce_once(self, member_number: str, payment_id: str, tx: Transaction) -> bool:
        """Note that this statement is announced in `tx`; False if it was before."""
        statement_key = key(member_number, payment_id)
        if await self._statements.find_one({"_id": statement_key}, session=tx.session):
            return False
        row = {"_id": statement_key, "member_number": member_number}
        await self._statements.insert_one(row, session=tx.session)
        return True

    # For events: one read and one write a batch

    async def claims_around(self, keys: Group[str], tx: Transaction) -> dict[str, Claim]:
        """The claims with these keys, every reversal of them, and what these in turn take back; by key."""
        query: Document = {"$or": [{"_id": {"$in": list(keys)}}, {"reverses": {"$in": list(keys)}}]}
        rows = await self._claims.find(query, session=tx.session).to_list(None)
        taken_back = {row["reverses"] for row in rows if "reverses" in row} - {row["_id"] for row in rows}
        if taken_back:  # rare: something is told of a reversal without its claim
            query = {"_id": {"$in": list(taken_back)}}
            rows += await self._claims.find(query, session=tx.session).to_list(None)
        return {row["_id"]: _claim(row) for row in rows}

    async def save_claims(self, claims: Iterable[tuple[Claim, Listing | None]], tx: Transaction) -> None:
        """Store each claim, stamped with the database server's clock."""
        await _save(self._claims, [_claim_row(claim, listing) for claim, listing in claims], tx.session)

    async def members(self, member_numbers: Group[str], tx: Transaction) -> dict[str, Member]:
        """The members known of these, by number."""
        rows = await self._members.find({"_id": {"$in": list(member_numbers)}}, session=tx.session).to_list(None)
        return {row["_id"]: _member(row) for row in rows}

    async def save_members(self, members: Iterable[Member], tx: Transaction) -> None:
        """Store each member."""
        await _save(self._members, [_member_row(member) for member in members], tx.session)

    async def erase(self, member_numbers: Group[str], tx: Transaction) -> None:
        """Delete all that is held of these members."""
        whose = {"$in": list(member_numbers)}
        await self._claims.delete_many({"member_number": whose}, session=tx.session)
        await self._members.delete_many({"_id": whose}, session=tx.session)
        await self._statements.delete_many({"member_number": whose}, session=tx.session)
        await self._log.delete_many({"member_number": whose}, session=tx.session)


def list_query(member_number: str, which: Filter, after: Position | None) -> Document:
    """The query of a list: its bounds on the date leave out claims without one, and let the index do the cutting."""
    last_day = min(which.last_day or _LAST_DAY, after.date if after else _LAST_DAY)
    query: Document = {
        "member_number": member_number,
        "date": {"$gte": which.first_day or _FIRST_DAY, "$lte": last_day},
    }
    if which.beneficiary_rank is not None:
        query["beneficiary_rank"] = which.beneficiary_rank
    if which.status is not None:
        query["status"] = which.status.value
    if which.domain is not None:
        query["domains"] = which.domain
    if which.text:
        query["search"] = {"$regex": re.escape(folded(which.text))}
    if after is not None:
        query["$or"] = [{"date": {"$lt": after.date}}, {"date": after.date, "claim_id": {"$lt": after.claim_id}}]
    return query


def summary_query(member_number: str) -> list[Document]:
    """The stages of a summary: it reads the claims that the list shows, by the list's index."""
    return added_up(list_query(member_number, Filter(), None))


def _in_payment(member_number: str, payment_id: str) -> Document:
    return {"member_number": member_number, "paid.payment.payment_id": payment_id}


def _payments(which: Document) -> list[Document]:
    """The stages that add up the claims of each payment."""
    payee = {"payee": "$paid.payment.payee", "payee_name": "$paid.payment.payee_name"}
    added_up = {
        "_id": "$paid.payment.payment_id",
        "paid_on": {"$max": "$paid.payment.paid_on"},
        "amount_cents": {"$sum": "$paid.amount_cents"},
        "taken_back_cents": {"$sum": "$reversed_by.amount_cents"},
        "claim_count": {"$sum": 1},
        "payees": {"$addToSet": payee},
    }
    return [{"$match": which}, {"$group": added_up}]


def _payment_sum(row: Document) -> PaymentSum:
    payees = [Payee(one["payee"], one.get("payee_name")) for one in row["payees"]]
    return PaymentSum(
        payment_id=row["_id"],
        paid_on=row["paid_on"],
        amount_cents=int(row["amount_cents"]),
        taken_back_cents=int(row["taken_back_cents"]),
        claim_count=row["claim_count"],
        payees=tuple(sorted(payees, key=lambda one: (one.payee, one.payee_name or ""))),
    )


async def _save(collection: Any, rows: Sequence[Document], session: AsyncIOMotorClientSession) -> None:
    # $set takes the values as they are (a pipeline would run a text that begins with $); $currentDate is the server's.
    stamp = {"updated_at": True}
    changes = [UpdateOne({"_id": row.pop("_id")}, {"$set": row, "$currentDate": stamp}, upsert=True) for row in rows]
    if changes:
        await collection.bulk_write(changes, ordered=False, session=session)


def _claim_row(claim: Claim, listing: Listing | None) -> Document:
    row: Document = {
        "_id": key(claim.member_number, claim.claim_id),
        "member_number": claim.member_number,
        "claim_id": claim.claim_id,
    }
    for name in _FACTS:
        fact: Fact[ClaimsPaymentEvent] | None = getattr(claim, name)
        if fact:
            row[name] = {"order": list(fact.order), **fact.value.model_dump(mode="json", exclude_none=True)}
    if listing:
        row |= {item.name: getattr(listing, item.name) for item in fields(listing)}
        row["status"] = listing.status.value
    if taken_back := original_key(claim):
        row["reverses"] = taken_back
    return row


def _claim(row: Document) -> Claim:
    facts: dict[str, Any] = {name: _fact(row[name], kind) for name, kind in _FACTS.items() if name in row}
    return Claim(row["member_number"], row["claim_id"], **facts)


def _listing(row: Document) -> Listing:
    return Listing(Status(row["status"]), row["date"], row["beneficiary_rank"], tuple(row["domains"]), row["search"])


def _fact(stored: Document, kind: type[ClaimsPaymentEvent]) -> Fact[ClaimsPaymentEvent]:
    # Not strict: stored dates are text, stored tuples are lists. It was strict when the event came in.
    return Fact(_order(stored["order"]), kind.model_validate(stored, strict=False))


def _member_row(member: Member) -> Document:
    return {
        "_id": member.member_number,
        "facts": {name: {"order": list(fact.order), "value": fact.value} for name, fact in member.facts.items()},
        "coverages": [
            {"order": list(fact.order), **fact.value.model_dump(mode="json")}
            for _, fact in sorted(member.coverages.items())
        ],
    }


def _member(row: Document) -> Member:
    facts = {name: Fact(_order(stored["order"]), stored["value"]) for name, stored in row["facts"].items()}
    coverages = [
        Fact(_order(stored["order"]), Coverage.model_validate(stored, strict=False)) for stored in row["coverages"]
    ]
    return Member(row["_id"], facts, {coverage_key(fact.value): fact for fact in coverages})


def _order(stored: Sequence[Any]) -> Order:
    return stored[0], stored[1]
