"""`identifiers`: who signs in with what. `_id` is the lookup key, so uniqueness per insurer is the database's."""

from collections.abc import Iterable, Sequence

from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.auth.models import IdentifierKind
from shared.conflicts import WriteConflict
from shared.mongo import Mongo, Transaction

DUPLICATE_KEY = 11000


class Identifiers:
    """Rows: `_id` lookup key, `member_number`, `kind`."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["identifiers"]

    async def owner(self, key: str, tx: Transaction | None = None) -> str | None:
        """The number of the member who signs in with this identifier."""
        found = await self._collection.find_one({"_id": key}, session=tx.session if tx else None)
        return str(found["member_number"]) if found else None

    async def owners(self, tx: Transaction, keys: Sequence[str]) -> dict[str, str]:
        """The owners of those identifiers that are taken: key → member number."""
        found = self._collection.find({"_id": {"$in": list(keys)}}, session=tx.session)
        return {row["_id"]: row["member_number"] async for row in found}

    async def give(self, tx: Transaction, taken: Iterable[tuple[str, str, IdentifierKind]]) -> None:
        """Make each (key, member number, kind) that member's one and only identifier.

        The keys must be free in `tx`. A key that somebody else took meanwhile makes the transaction run again.
        """
        rows = [{"_id": key, "member_number": member, "kind": kind} for key, member, kind in taken]
        if not rows:
            return
        members = [row["member_number"] for row in rows]
        await self._collection.delete_many({"member_number": {"$in": members}}, session=tx.session)
        try:
            await self._collection.insert_many(rows, session=tx.session)
        except DuplicateKeyError as error:
            raise WriteConflict from error
        except BulkWriteError as error:
            if any(e["code"] == DUPLICATE_KEY for e in error.details.get("writeErrors", [])):
                raise WriteConflict from error
            raise
