"""Every query and index of the claims service. What reads for a member takes the member as an argument."""

from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from collections.abc import Collection as Group
from datetime import datetime
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from services.claims.models import (
    Claim,
    Kept,
    Listing,
    ListTotals,
    Member,
    Order,
    PaidLines,
    PaymentAtRest,
    PaymentList,
    PaymentSum,
)
from services.claims.store.kept import superseded_of, superseded_row
from services.claims.store.payments import payment_list, payments_query
from services.claims.store.queries import (
    LIST_INDEXES,
    NEWEST_FIRST,
    Filter,
    PaymentPosition,
    Position,
    in_payment,
    list_query,
    list_totals,
    payments,
    rest_query,
    summary_query,
    totals_query,
)
from services.claims.store.rows import (
    ORDERS,
    claim_of,
    claim_row,
    listed,
    member_of,
    member_row,
    orders_of,
    payment_at_rest,
    payment_sum,
)
from services.claims.summary import paid_lines
from shared.live import key
from shared.mongo import Collection, Database, Document, Transaction, server_time

CLAIMS = "claims"
MEMBERS = "members"
STATEMENTS = "statements"
SUPERSEDED = "superseded"

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    CLAIMS: [
        *LIST_INDEXES,
        # The reversals of a claim that arrives after them; few records have the field.
        IndexModel([("reverses", ASCENDING)], name="reversals", sparse=True),
    ],
    MEMBERS: [],  # read by member number alone, which is `_id`
    STATEMENTS: [IndexModel([("member_number", ASCENDING)], name="member")],  # which payments were announced
    SUPERSEDED: [
        IndexModel([("claim", ASCENDING)], name="claim"),
        IndexModel([("member_number", ASCENDING)], name="member"),
    ],
}

BATCH: Final = 100
"""Claims of an export that are held at a time."""
_MANY: Final = 20
"""New claims of a batch that are worth commands of their own."""


class ClaimsStore:
    """The claims and the members of one database; `claims` is the collection of claims, another while it is rebuilt."""

    def __init__(self, db: Database, claims: str = CLAIMS) -> None:
        self._claims, self._members, self._superseded = db[claims], db[MEMBERS], db[SUPERSEDED]
        self._statements = db[STATEMENTS]

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

    async def find_payment(self, member_number: str, payment_id: str) -> PaymentSum | None:
        """One payment of this member, if any claim of theirs is in it."""
        rows = await self._claims.aggregate(payments(in_payment(member_number, payment_id))).to_list(1)
        return payment_sum(rows[0]) if rows else None

    async def claims_of_payment(self, member_number: str, payment_id: str, limit: int) -> list[tuple[Claim, Listing]]:
        """Up to `limit` of this member's claims in that payment, in the order of their ids."""
        cursor = self._claims.find(in_payment(member_number, payment_id)).sort("claim_id", ASCENDING).limit(limit)
        return [listed(row) for row in await cursor.to_list(limit)]

    async def paid_lines(self, member_number: str) -> list[PaidLines]:
        """All that was paid for this member, added up: no more rows than the member's claims have domains."""
        return paid_lines(await self._claims.aggregate(summary_query(member_number)).to_list(None))

    async def payments_at_rest(self, keys: Group[tuple[str, str]], tx: Transaction) -> list[PaymentAtRest]:
        """Those of these payments, (`member_number`, `payment_id`), that have claims."""
        rows = await self._claims.aggregate(rest_query(keys), session=tx.session).to_list(None)
        return [payment_at_rest(row) for row in rows]

    async def announce_once(self, payments: Iterable[PaymentAtRest], tx: Transaction) -> list[PaymentAtRest]:
        """Note that these payments' statements are announced in `tx`; answers those that were not before."""
        by_key = {key(one.member_number, one.payment_id): one for one in payments}
        query = {"_id": {"$in": list(by_key)}}
        before = {row["_id"] for row in await self._statements.find(query, session=tx.session).to_list(None)}
        new = {statement_key: one for statement_key, one in by_key.items() if statement_key not in before}
        rows = [{"_id": statement_key, "member_number": one.member_number} for statement_key, one in new.items()]
        await tx.insert_new(STATEMENTS, rows)
        return list(new.values())

    # For events: one read and one write a batch

    async def claims_around(self, keys: Group[str], tx: Transaction) -> dict[str, Claim]:
        """The claims with these keys, every reversal of them, and what these in turn take back; by key."""
        rows = await self._claims_where({"_id": {"$in": list(keys)}}, tx)
        # The two are rare: a claim has the mark of what takes it back as soon as that is known, even before itself.
        if marked := [row["_id"] for row in rows if "taken_back" in row]:
            rows += await self._claims_where({"reverses": {"$in": marked}, "_id": {"$nin": list(keys)}}, tx)
        if taken_back := {row["reverses"] for row in rows if "reverses" in row} - {row["_id"] for row in rows}:
            rows += await self._claims_where({"_id": {"$in": list(taken_back)}}, tx)
        return {row["_id"]: claim_of(row) for row in rows}

    async def _claims_where(self, query: Document, tx: Transaction) -> list[Document]:
        return await self._claims.find(query, session=tx.session).to_list(None)

    async def save_claims(
        self,
        claims: Iterable[tuple[Claim, Listing | None]],
        held: Container[str],
        tx: Transaction,
        stamps: Mapping[str, datetime] | None = None,
    ) -> None:
        """Store each claim, those whose keys are not `held` as new.

        They are stamped with the database server's clock, or as `stamps` has it by key.
        """
        rows = [claim_row(claim, listing) for claim, listing in claims]
        for row in rows:
            if stamps and row["_id"] in stamps:
                row["updated_at"] = stamps[row["_id"]]
        new = [row for row in rows if row["_id"] not in held]
        if len(new) < _MANY:  # one command for all is sooner there than one for each kind
            await _save(self._claims, rows, tx)
            return
        await _save(self._claims, [row for row in rows if row["_id"] in held], tx)
        # Many are inserted in half the time that it takes to update what is not there.
        now = await server_time(tx.db)
        for row in new:
            row.setdefault("updated_at", now)
        await tx.insert_new(self._claims.name, new)

    async def save_superseded(self, events: Iterable[Kept], tx: Transaction) -> None:
        """Keep events that stand in no claim: all that was told is kept."""
        rows = [superseded_row(event) for event in events]
        await tx.write(SUPERSEDED, [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows])

    async def members(self, member_numbers: Group[str], tx: Transaction) -> dict[str, Member]:
        """The members known of these, by number."""
        rows = await self._members.find({"_id": {"$in": list(member_numbers)}}, session=tx.session).to_list(None)
        return {row["_id"]: member_of(row) for row in rows}

    async def save_members(self, members: Iterable[Member], tx: Transaction) -> None:
        """Store each member."""
        await _save(self._members, [member_row(member) for member in members], tx)

    # The claims rebuilt

    async def claims_between(self, after: str, until: str, limit: int, tx: Transaction) -> list[Document]:
        """Rows of claims by their keys, those beyond `after` up to `until`; for `kept`."""
        rows = self._claims.find({"_id": {"$gt": after, "$lte": until}}, session=tx.session)
        return await rows.sort("_id", ASCENDING).limit(limit).to_list(limit)

    async def superseded(self, keys: Group[str], tx: Transaction) -> list[Kept]:
        """What was told of these claims and does not stand in them."""
        query = {"claim": {"$in": list(keys)}}
        return [superseded_of(row) async for row in self._superseded.find(query, session=tx.session)]

    async def last_key(self) -> str:
        """That of the last claim by its key; empty while there is none."""
        row = await self._claims.find_one({}, ["_id"], sort=[("_id", DESCENDING)])
        return str(row["_id"]) if row else ""

    async def count_up_to(self, until: str) -> int:
        """How many claims there are up to that key."""
        return await self._claims.count_documents({"_id": {"$lte": until}})

    async def rows(self, keys: Group[str], tx: Transaction) -> list[Document]:
        """The rows of these claims."""
        return await self._claims_where({"_id": {"$in": list(keys)}}, tx)

    async def stamps(self, keys: Group[str], tx: Transaction) -> dict[str, datetime]:
        """When these claims were last changed, by key."""
        rows = self._claims.find({"_id": {"$in": list(keys)}}, ["updated_at"], session=tx.session)
        return {row["_id"]: row["updated_at"] for row in await rows.to_list(None) if "updated_at" in row}

    async def orders_after(self, after: str, limit: int, tx: Transaction) -> dict[str, dict[str, Order]]:
        """The orders of the facts of the claims beyond the key `after`, by key, in the order of the keys."""
        rows = self._claims.find({"_id": {"$gt": after}}, ORDERS, session=tx.session).sort("_id", ASCENDING)
        return {row["_id"]: orders_of(row) for row in await rows.limit(limit).to_list(limit)}

    async def orders(self, keys: Group[str], tx: Transaction) -> dict[str, dict[str, Order]]:
        """The orders of the facts of these claims, by key."""
        rows = self._claims.find({"_id": {"$in": list(keys)}}, ORDERS, session=tx.session)
        return {row["_id"]: orders_of(row) for row in await rows.to_list(None)}

    # Erasure

    async def erase(self, member_numbers: Group[str], tx: Transaction) -> None:
        """Delete all that is held of these members."""
        whose = {"$in": list(member_numbers)}
        await self._claims.delete_many({"member_number": whose}, session=tx.session)
        await self._members.delete_many({"_id": whose}, session=tx.session)
        await self._statements.delete_many({"member_number": whose}, session=tx.session)
        await self._superseded.delete_many({"member_number": whose}, session=tx.session)


async def _save(collection: Collection, rows: Sequence[Document], tx: Transaction) -> None:
    # $set takes the values as they are (a pipeline would run a text that begins with $); $currentDate is the server's.
    await tx.write(collection.name, [UpdateOne({"_id": row["_id"]}, _change(row), upsert=True) for row in rows])


def _change(row: Document) -> Document:
    return {"$set": row} if "updated_at" in row else {"$set": row, "$currentDate": {"updated_at": True}}
