"""Every query and index of the claims service. What reads for a member takes the member as an argument."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Collection as Group
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ASCENDING, IndexModel, UpdateOne

from services.claims.models import Claim, Listing, ListTotals, Member, PaidLines, PaymentList, PaymentSum
from services.claims.store.payments import payment_list, payments_query
from services.claims.store.queries import (
    LIST_INDEXES,
    NEWEST_FIRST,
    REPLACED_INDEXES,
    Filter,
    PaymentPosition,
    Position,
    in_payment,
    list_query,
    list_totals,
    payments,
    summary_query,
    totals_query,
)
from services.claims.store.rows import claim_of, claim_row, listed, listing_row, member_of, member_row, payment_sum
from services.claims.summary import paid_lines
from shared import inbox
from shared.live import key
from shared.mongo import Database, Document, Transaction

CLAIMS = "claims"
MEMBERS = "members"
STATEMENTS = "statements"
UPKEEP = "upkeep"

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    CLAIMS: [
        *LIST_INDEXES,
        # What changed since a stream was cut (shared.live).
        IndexModel([("member_number", ASCENDING), ("updated_at", ASCENDING)], name="live"),
        # The reversals of a claim that arrives after them; few records have the field.
        IndexModel([("reverses", ASCENDING)], name="reversals", sparse=True),
    ],
    MEMBERS: [],  # read by member number alone, which is `_id`
    STATEMENTS: [IndexModel([("member_number", ASCENDING)], name="member")],  # which payments were announced
    UPKEEP: [],  # how far what older releases stored was brought up: one document
}

BATCH: Final = 100
"""Claims of an export that are held at a time."""
_LISTINGS: Final = "listings"


class ClaimsStore:
    """The claims and the members of one database."""

    def __init__(self, db: Database) -> None:
        self._claims, self._members, self._log = db[CLAIMS], db[MEMBERS], db[inbox.COLLECTION]
        self._statements, self._upkeep = db[STATEMENTS], db[UPKEEP]

    # For a member

    async def list_claims(
        self, member_number: str, which: Filter, after: Position | None, limit: int
    ) -> list[tuple[Claim, Listing]]:
        """Up to `limit` claims after that position, newest first; those that show nothing yet are left out."""
        query = list_query(member_number, which, after)
        cursor = self._claims.find(query).sort(NEWEST_FIRST).limit(limit)
        return [listed(row) for row in await cursor.to_list(limit)]

    async def each_claim(self, member_number: str, which: Filter) -> AsyncIterator[list[tuple[Claim, Listing]]]:
        """A whole list, newest first, some at a time."""
        cursor = self._claims.find(list_query(member_number, which, None)).sort(NEWEST_FIRST).batch_size(BATCH)
        try:
            while rows := await cursor.to_list(BATCH):
                yield [listed(row) for row in rows]
        finally:
            await cursor.close()

    async def list_totals(self, member_number: str, which: Filter) -> ListTotals:
        """The sums of a whole list."""
        return list_totals(await self._claims.aggregate(totals_query(member_number, which)).to_list(1))

    async def find_claim(self, member_number: str, claim_id: str) -> tuple[Claim, Listing] | None:
        """One claim of this member that shows something."""
        row = await self._claims.find_one({"_id": key(member_number, claim_id), "status": {"$exists": True}})
        return listed(row) if row else None

    async def find_member(self, member_number: str) -> Member | None:
        """What is known of the member; claims may come before their member does."""
        row = await self._members.find_one({"_id": member_number})
        return member_of(row) if row else None

    async def list_payments(
        self, member_number: str, year: int | None, after: PaymentPosition | None, limit: int
    ) -> PaymentList:
        """Up to `limit` payments after that position, newest first; of that year alone, if one is given."""
        [found] = await self._claims.aggregate(payments_query(member_number, year, after, limit + 1)).to_list(1)
        return payment_list(found, year, limit)

    async def find_payment(
        self, member_number: str, payment_id: str, tx: Transaction | None = None
    ) -> PaymentSum | None:
        """One payment of this member, if any claim of theirs is in it."""
        stages = payments(in_payment(member_number, payment_id))
        rows = await self._claims.aggregate(stages, session=tx.session if tx else None).to_list(1)
        return payment_sum(rows[0]) if rows else None

    async def claims_of_payment(self, member_number: str, payment_id: str, limit: int) -> list[tuple[Claim, Listing]]:
        """Up to `limit` of this member's claims in that payment, in the order of their ids."""
        cursor = self._claims.find(in_payment(member_number, payment_id)).sort("claim_id", ASCENDING).limit(limit)
        return [listed(row) for row in await cursor.to_list(limit)]

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
        return {row["_id"]: claim_of(row) for row in rows}

    async def save_claims(self, claims: Iterable[tuple[Claim, Listing | None]], tx: Transaction) -> None:
        """Store each claim, stamped with the database server's clock."""
        await _save(self._claims, [claim_row(claim, listing) for claim, listing in claims], tx.session)

    async def members(self, member_numbers: Group[str], tx: Transaction) -> dict[str, Member]:
        """The members known of these, by number."""
        rows = await self._members.find({"_id": {"$in": list(member_numbers)}}, session=tx.session).to_list(None)
        return {row["_id"]: member_of(row) for row in rows}

    async def save_members(self, members: Iterable[Member], tx: Transaction) -> None:
        """Store each member."""
        await _save(self._members, [member_row(member) for member in members], tx.session)

    # What older releases stored

    async def drop_replaced_indexes(self) -> None:
        """Indexes that others have replaced."""
        for name in REPLACED_INDEXES:
            if name in await self._claims.index_information():
                await self._claims.drop_index(name)

    async def claims_to_renew(self, version: int, limit: int) -> list[str]:
        """The keys of the next claims to look at, in their order; none once all have been brought to `version`."""
        done = await self._upkeep.find_one({"_id": _LISTINGS, "version": version}) or {"after": ""}
        if done["after"] is None:
            return []
        cursor = self._claims.find({"_id": {"$gt": done["after"]}}, ["_id"]).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] for row in await cursor.to_list(limit)]

    async def renewed(self, version: int, after: str | None, tx: Transaction | None = None) -> None:
        """Note that the claims up to that key are of `version`; None: all are."""
        change = {"$set": {"version": version, "after": after}}
        await self._upkeep.update_one({"_id": _LISTINGS}, change, upsert=True, session=tx.session if tx else None)

    async def save_listings(self, claims: Iterable[tuple[Claim, Listing | None]], tx: Transaction) -> None:
        """Store how these claims are found anew, and leave their stamps alone: no member has to see it."""
        for claim, listing in claims:
            if listing:
                change = {"$set": listing_row(listing), "$unset": {"search": ""}}
                await self._claims.update_one(
                    {"_id": key(claim.member_number, claim.claim_id)}, change, session=tx.session
                )

    # Erasure

    async def erase(self, member_numbers: Group[str], tx: Transaction) -> None:
        """Delete all that is held of these members."""
        whose = {"$in": list(member_numbers)}
        await self._claims.delete_many({"member_number": whose}, session=tx.session)
        await self._members.delete_many({"_id": whose}, session=tx.session)
        await self._statements.delete_many({"member_number": whose}, session=tx.session)
        await self._log.delete_many({"member_number": whose}, session=tx.session)


async def _save(collection: Any, rows: Sequence[Document], session: AsyncIOMotorClientSession) -> None:
    # $set takes the values as they are (a pipeline would run a text that begins with $); $currentDate is the server's.
    stamp = {"updated_at": True}
    changes = [UpdateOne({"_id": row.pop("_id")}, {"$set": row, "$currentDate": stamp}, upsert=True) for row in rows]
    if changes:
        await collection.bulk_write(changes, ordered=False, session=session)
