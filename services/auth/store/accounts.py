"""`accounts`: one document per member."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import bson
from pymongo import ReplaceOne

from services.auth.models import Account, Device, Fact
from shared.conflicts import WriteConflict
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

    async def by_identifier(self, key: str) -> Account | None:
        """The account that signs in with this identifier. For nobody it takes as long: a row is asked for, one read.

        Accounts and `identifiers` change together, so that one question is enough.
        """
        found = await self._collection.find_one({"identifier_key": key})
        read = found or bson.decode(self._nobody, self._collection.codec_options)
        account = Account.model_validate(read)
        return account if found else None

    async def of_members(self, tx: Transaction, member_numbers: Sequence[str]) -> dict[str, Account]:
        """The accounts there are, by member number."""
        found = self._collection.find({"_id": {"$in": list(member_numbers)}}, session=tx.session)
        return {row["_id"]: Account.model_validate(row) async for row in found}

    async def save(self, tx: Transaction, accounts: Iterable[Account]) -> None:
        """Store each account as it is now."""
        rows = [_next(account).to_document() for account in accounts]
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=tx.session)

    async def change(self, tx: Transaction, before: Account, after: Account) -> None:
        """Store what `after` changes of `before`, which may have been read outside `tx`.

        Makes the transaction run again if the account was stored since: `before` must then be read in it. Of the row
        nothing else is written, so that a text sealed anew meanwhile (`shared.resealing`) stays.
        """
        old, new = before.to_document(), _next(after).to_document()
        changed = {name: value for name, value in new.items() if value != old[name]}
        as_read = {"_id": before.member_number, "revision": before.revision}
        done = await self._collection.update_one(as_read, {"$set": changed}, session=tx.session)
        if not done.matched_count:
            raise WriteConflict


def _next(account: Account) -> Account:
    return account.model_copy(update={"revision": (account.revision or 0) + 1})


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
