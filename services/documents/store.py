"""Every query and index of documents. A row shows whose it is and when it came; everything else is one sealed value."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.documents.models import Document, Member
from shared.live import key
from shared.mongo import Database, Transaction
from shared.sealing import Keyring

DOCUMENTS = "documents"
MEMBERS = "members"

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    DOCUMENTS: [
        IndexModel(
            [("member_number", ASCENDING), ("received_at", DESCENDING), ("document_id", DESCENDING)], name="list"
        ),
        # What changed since a stream was cut (shared.live).
        IndexModel([("member_number", ASCENDING), ("updated_at", ASCENDING)], name="live"),
        # One effect for each `Idempotency-Key` of a member.
        IndexModel(
            [("member_number", ASCENDING), ("idempotency_key", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"idempotency_key": {"$type": "string"}},
        ),
    ],
    MEMBERS: [],  # read by member number alone, which is `_id`
}


class AlreadySent(Exception):
    """A document with this `Idempotency-Key` is there already."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last document of the page before."""

    received_at: datetime
    document_id: str


class DocumentsStore:
    """The documents and the members of one database."""

    def __init__(self, db: Database, at_rest: Keyring) -> None:
        self._documents, self._members, self._at_rest = db[DOCUMENTS], db[MEMBERS], at_rest

    # For a member

    async def page(self, member_number: str, after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` documents after that position, newest first."""
        query: dict[str, Any] = {"member_number": member_number}
        if after is not None:
            earlier = {"received_at": {"$lt": after.received_at}}
            same = {"received_at": after.received_at, "document_id": {"$lt": after.document_id}}
            query["$or"] = [earlier, same]
        order = [("received_at", DESCENDING), ("document_id", DESCENDING)]
        rows = await self._documents.find(query).sort(order).limit(limit).to_list(limit)
        return [self._document(row) for row in rows]

    async def find(self, member_number: str, document_id: str, tx: Transaction | None = None) -> Document | None:
        """One document of this member."""
        where = {"_id": key(member_number, document_id)}
        row = await self._documents.find_one(where, session=tx.session if tx else None)
        return self._document(row) if row else None

    async def sent_with(self, member_number: str, idempotency_key: str) -> Document | None:
        """The document that a request with this key made."""
        row = await self._documents.find_one({"member_number": member_number, "idempotency_key": idempotency_key})
        return self._document(row) if row else None

    async def member(self, member_number: str) -> Member | None:
        """The beneficiaries; None until contract management has announced the member."""
        row = await self._members.find_one({"_id": member_number})
        return self._member(row) if row else None

    # In the transaction of an event, a request or a job

    async def add(self, tx: Transaction, document: Document, idempotency_key: str | None) -> None:
        """A document that was just sent. Raises `AlreadySent`: the transaction is over then."""
        try:
            await self._put(tx, document, {"idempotency_key": idempotency_key} if idempotency_key else {})
        except DuplicateKeyError:
            raise AlreadySent from None

    async def save(self, tx: Transaction, document: Document) -> None:
        """Store the document, stamped with the database server's clock."""
        await self._put(tx, document, {})

    async def of_member(self, tx: Transaction, member_number: str) -> list[Document]:
        """All of them."""
        rows = self._documents.find({"member_number": member_number}, session=tx.session)
        return [self._document(row) async for row in rows]

    async def forget(self, tx: Transaction, member_number: str) -> None:
        """Delete all that is held of the member."""
        await self._documents.delete_many({"member_number": member_number}, session=tx.session)
        await self._members.delete_one({"_id": member_number}, session=tx.session)

    async def members(self, tx: Transaction, numbers: Collection[str]) -> dict[str, Member]:
        """The members known of these, by number."""
        rows = self._members.find({"_id": {"$in": list(numbers)}}, session=tx.session)
        return {row["_id"]: self._member(row) async for row in rows}

    async def save_members(self, tx: Transaction, members: Iterable[tuple[str, Member]]) -> None:
        """Store these members whole."""
        for number, member in members:
            sealed = self._at_rest.seal_at_rest(member.model_dump_json(), context=f"{MEMBERS}/{number}")
            await self._members.replace_one({"_id": number}, {"sealed": sealed}, upsert=True, session=tx.session)

    async def _put(self, tx: Transaction, document: Document, extra: Mapping[str, str]) -> None:
        row_key = key(document.member_number, document.document_id)
        row = {
            "member_number": document.member_number,
            "document_id": document.document_id,
            "received_at": document.received_at,
            "sealed": self._at_rest.seal_at_rest(document.model_dump_json(), context=f"{DOCUMENTS}/{row_key}"),
            **extra,
        }
        change = {"$set": row, "$currentDate": {"updated_at": True}}
        await self._documents.update_one({"_id": row_key}, change, upsert=True, session=tx.session)

    def _document(self, row: Mapping[str, Any]) -> Document:
        sealed = self._at_rest.open_at_rest(row["sealed"], context=f"{DOCUMENTS}/{row['_id']}")
        return Document.model_validate_json(sealed)

    def _member(self, row: Mapping[str, Any]) -> Member:
        return Member.model_validate_json(self._at_rest.open_at_rest(row["sealed"], context=f"{MEMBERS}/{row['_id']}"))
