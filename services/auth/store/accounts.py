"""`accounts`: one document per member."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import bson
from pymongo import ReplaceOne

from services.auth.models import Account, Device, Fact
from shared.mongo import Mongo, Transaction


class Accounts:
    """Accounts are read and replaced whole; two transactions that meet on one are serialised by MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["accounts"]
        self._nobody = _like_most()

    async def get(self, member_number: str, tx: Transaction | None = None) -> Account | None:
        """The member's account."""
        found = await self._collection.find_one({"_id": member_number}, session=tx.session if tx else None)
        return Account.model_validate(found) if found else None

    async def of_owner(self, member_number: str | None) -> Account | None:
        """The account of whom an identifier is. For nobody it takes as long: a row is asked for, one is read."""
        found = await self._collection.find_one({"_id": member_number or ""})
        read = found or bson.decode(self._nobody, self._collection.codec_options)
        account = Account.model_validate(read)
        return account if found else None

    async def of_members(self, tx: Transaction, member_numbers: Sequence[str]) -> dict[str, Account]:
        """The accounts there are, by member number."""
        found = self._collection.find({"_id": {"$in": list(member_numbers)}}, session=tx.session)
        return {row["_id"]: Account.model_validate(row) async for row in found}

    async def save(self, tx: Transaction, accounts: Iterable[Account]) -> None:
        """Store each account as it is now."""
        writes = [ReplaceOne({"_id": a.member_number}, a.to_document(), upsert=True) for a in accounts]
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=tx.session)


def _like_most() -> bytes:
    """A row as large as most members' are, of the same fields, with nobody in it."""
    now = datetime.now(UTC)
    sealed, plain, day = "x" * 180, "x" * 10, "2000-01-01"
    family = [
        {"rank": rank, "first_name": plain, "last_name": plain, "birth_date": day, "relation": plain} for rank in (1, 2)
    ]
    told = {"nir": sealed, "email": sealed, "birth_date": day, "ended_on": None, "beneficiaries": family}
    told |= {"title": plain, "first_name": plain, "last_name": plain}
    account = Account(
        member_number="",
        enrolled=True,
        facts={name: Fact(value=value, order="x" * 64) for name, value in told.items()},
        identifier_kind="email",
        identifier_key="x" * 64,
        identifier_chosen=True,
        own_password="x" * 97,
        activated_email=sealed,
        devices=[Device(token_hash="x" * 64, known_since=now, seen_at=now)] * 2,
        signed_in_at=now,
    )
    return bson.encode(account.to_document())
