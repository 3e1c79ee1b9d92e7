"""`activation_links`: mailed to confirm an address. The others serve once.

`reset_links` set a password, `unlock_links` unlock, `close_links` close what a new device opened, `undo_links`
bring back an address.
"""

from datetime import datetime
from typing import Generic, TypeVar

from services.auth.models import ActivationLink, OnceLink, UndoLink
from shared.mongo import Mongo, Transaction

L = TypeVar("L", bound=OnceLink)


class Links:
    """Rows are never changed: what a link is worth is read from the account."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["activation_links"]

    async def add(self, tx: Transaction, link: ActivationLink) -> None:
        """Remember a link that is being mailed."""
        await self._collection.insert_one(link.to_document(), session=tx.session)

    async def get(self, tx: Transaction, token_hash: str) -> ActivationLink | None:
        """The link with this token."""
        found = await self._collection.find_one({"_id": token_hash}, session=tx.session)
        return ActivationLink.model_validate(found) if found else None

    async def mailed_since(self, tx: Transaction, member_number: str, since: datetime) -> list[datetime]:
        """When the member's mails since that instant went out, oldest first."""
        selection = {"member_number": member_number, "created_at": {"$gt": since}}
        found = self._collection.find(selection, {"created_at": 1}, session=tx.session).sort("created_at", 1)
        return [row["created_at"] async for row in found]


class OnceLinks(Generic[L]):
    """Links of one kind that serve once. What one is worth: `link_rules.judge_link`, from it and its account."""

    def __init__(self, mongo: Mongo, collection: str, kind: type[L]) -> None:
        self._collection, self._kind = mongo.db[collection], kind

    async def add(self, tx: Transaction, link: L) -> None:
        """Remember a link that is being mailed."""
        await self._collection.insert_one(link.to_document(), session=tx.session)

    async def get(self, token_hash: str, tx: Transaction | None = None) -> L | None:
        """The link with this token."""
        found = await self._collection.find_one({"_id": token_hash}, session=tx.session if tx else None)
        return self._kind.model_validate(found) if found else None

    async def use(self, tx: Transaction, link: L, now: datetime) -> None:
        """It has served."""
        await self._collection.update_one({"_id": link.token_hash}, {"$set": {"used_at": now}}, session=tx.session)

    async def void(self, tx: Transaction, member_number: str) -> None:
        """None of the member's that has not served yet is good any more."""
        await self._collection.delete_many({"member_number": member_number, "used_at": None}, session=tx.session)


class UndoLinks(OnceLinks[UndoLink]):
    """One that has served takes those of later changes with it: what they would bring back is what was undone."""

    def __init__(self, mongo: Mongo) -> None:
        super().__init__(mongo, "undo_links", UndoLink)

    async def use(self, tx: Transaction, link: UndoLink, now: datetime) -> None:
        """It has served."""
        await super().use(tx, link, now)
        later = {"member_number": link.member_number, "created_at": {"$gt": link.created_at}}
        await self._collection.delete_many(later, session=tx.session)
