"""`sessions`: the signed-in devices."""

from datetime import datetime

from pymongo import ReturnDocument

from services.auth.models import Session
from shared.mongo import Mongo, Transaction


class Sessions:
    """Rows go when they are closed, or by themselves after `expires_at`; every read checks that instant."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["sessions"]

    async def get(
        self, member_number: str, session_id: str, now: datetime, tx: Transaction | None = None
    ) -> Session | None:
        """The member's session, if it is open."""
        selection = {"_id": session_id, "member_number": member_number, "expires_at": {"$gt": now}}
        found = await self._collection.find_one(selection, session=tx.session if tx else None)
        return Session.model_validate(found) if found else None

    async def by_refresh_token(self, session_id: str, now: datetime) -> Session | None:
        """The open session a refresh token names; the token's HMAC is the proof that it is its bearer's."""
        found = await self._collection.find_one({"_id": session_id, "expires_at": {"$gt": now}})
        return Session.model_validate(found) if found else None

    async def of_member(self, tx: Transaction, member_number: str) -> list[Session]:
        """The member's sessions, oldest first."""
        found = self._collection.find({"member_number": member_number}, session=tx.session).sort("opened_at", 1)
        return [Session.model_validate(row) async for row in found]

    async def open_now(self, member_number: str, now: datetime) -> list[Session]:
        """The member's open sessions, newest first; not those whose sign-in is only half done."""
        whole = {"second_factor_due": {"$ne": True}}
        selection = {"member_number": member_number, "expires_at": {"$gt": now}, **whole}
        found = self._collection.find(selection).sort("opened_at", -1)
        return [Session.model_validate(row) async for row in found]

    async def add(self, tx: Transaction, session: Session) -> None:
        """Open a session."""
        await self._collection.insert_one(session.to_document(), session=tx.session)

    async def delete(self, tx: Transaction, member_number: str, session_ids: list[str]) -> list[str]:
        """Close those of the member's sessions; answers which there were."""
        selection = {"_id": {"$in": session_ids}, "member_number": member_number}
        present = [row["_id"] async for row in self._collection.find(selection, {"_id": 1}, session=tx.session)]
        await self._collection.delete_many({"_id": {"$in": present}}, session=tx.session)
        return present

    async def delete_all(self, tx: Transaction, member_number: str) -> None:
        """Close every session of the member."""
        await self._collection.delete_many({"member_number": member_number}, session=tx.session)

    async def complete(self, tx: Transaction, session_id: str, expires_at: datetime) -> None:
        """Note that the second factor was shown."""
        change = {"second_factor_due": False, "expires_at": expires_at}
        await self._collection.update_one({"_id": session_id}, {"$set": change}, session=tx.session)

    async def own_password_from_now(self, tx: Transaction, session_id: str) -> None:
        """Note that the member set their own password in this session."""
        await self._collection.update_one({"_id": session_id}, {"$set": {"password": "own"}}, session=tx.session)

    async def confirm(self, session_id: str, until: datetime) -> None:
        """Note until when whoever holds the session has proved to be the member."""
        await self._collection.update_one({"_id": session_id}, {"$set": {"confirmed_until": until}})

    async def advance(self, session: Session, now: datetime, expires_at: datetime) -> bool:
        """Note the first use of refresh token `session.used` + 1; False if another request was faster."""
        changed = await self._collection.find_one_and_update(
            {"_id": session.session_id, "used": session.used},
            {"$set": {"used": session.used + 1, "used_at": now, "expires_at": expires_at}},
            return_document=ReturnDocument.AFTER,
        )
        return changed is not None
