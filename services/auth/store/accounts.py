"""`accounts`: one document per member."""

from collections.abc import Iterable, Sequence

from pymongo import ReplaceOne

from services.auth.models import Account
from shared.mongo import Mongo, Transaction


class Accounts:
    """Accounts are read and replaced whole; two transactions that meet on one are serialised by MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["accounts"]

    async def get(self, member_number: str, tx: Transaction | None = None) -> Account | None:
        """The member's account."""
        found = await self._collection.find_one({"_id": member_number}, session=tx.session if tx else None)
        return Account.model_validate(found) if found else None

    async def of_members(self, tx: Transaction, member_numbers: Sequence[str]) -> dict[str, Account]:
        """The accounts there are, by member number."""
        found = self._collection.find({"_id": {"$in": list(member_numbers)}}, session=tx.session)
        return {row["_id"]: Account.model_validate(row) async for row in found}

    async def save(self, tx: Transaction, accounts: Iterable[Account]) -> None:
        """Store each account as it is now."""
        writes = [ReplaceOne({"_id": a.member_number}, a.to_document(), upsert=True) for a in accounts]
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=tx.session)
