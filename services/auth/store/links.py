"""`activation_links`: what was mailed to confirm an address; `reset_links`, `undo_links`: to get an account back."""

from datetime import datetime

from services.auth.models import ActivationLink, ResetLink, UndoLink
from shared.mongo import Mongo, Transaction


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


class ResetLinks:
    """What a link is worth is read from it and its account (`rules.judge_reset_link`)."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["reset_links"]

    async def add(self, tx: Transaction, link: ResetLink) -> None:
        """Remember a link that is being mailed."""
        await self._collection.insert_one(link.to_document(), session=tx.session)

    async def get(self, token_hash: str, tx: Transaction | None = None) -> ResetLink | None:
        """The link with this token."""
        found = await self._collection.find_one({"_id": token_hash}, session=tx.session if tx else None)
        return ResetLink.model_validate(found) if found else None

    async def use(self, tx: Transaction, link: ResetLink, now: datetime) -> None:
        """It has served."""
        await self._collection.update_one({"_id": link.token_hash}, {"$set": {"used_at": now}}, session=tx.session)

    async def void(self, tx: Transaction, member_number: str) -> None:
        """None of the member's that has not served yet is good any more."""
        await self._collection.delete_many({"member_number": member_number, "used_at": None}, session=tx.session)


class UndoLinks:
    """What a link is worth is read from it alone (`rules.judge_undo_link`)."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["undo_links"]

    async def add(self, tx: Transaction, link: UndoLink) -> None:
        """Remember a link that is being mailed."""
        await self._collection.insert_one(link.to_document(), session=tx.session)

    async def get(self, tx: Transaction, token_hash: str) -> UndoLink | None:
        """The link with this token."""
        found = await self._collection.find_one({"_id": token_hash}, session=tx.session)
        return UndoLink.model_validate(found) if found else None

    async def use(self, tx: Transaction, link: UndoLink, now: datetime) -> None:
        """It has served. Those of later changes go: what they would bring back is what was undone."""
        await self._collection.update_one({"_id": link.token_hash}, {"$set": {"used_at": now}}, session=tx.session)
        later = {"member_number": link.member_number, "created_at": {"$gt": link.created_at}}
        await self._collection.delete_many(later, session=tx.session)
