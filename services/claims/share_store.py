"""The links to shared cards. A row goes by itself when its time is over, and at once when its link is stopped.

A link is found by the digest of its secret. The secret itself is kept sealed for the row, so that its member can show
the link again; whoever has the database and not the keys can open none.
"""

from collections.abc import Collection as Group
from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.claims.models import Share
from services.claims.share_rules import digest
from services.claims.store import MEMBERS
from shared.mongo import Database, Document, Transaction
from shared.sealing import Keyring

SHARES = "card_shares"

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    SHARES: [
        IndexModel([("member_number", ASCENDING), ("created_at", DESCENDING)], name="list"),
        IndexModel([("expires_at", ASCENDING)], name="over", expireAfterSeconds=0),
        # One effect for each `Idempotency-Key` of a member.
        IndexModel(
            [("member_number", ASCENDING), ("once", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"once": {"$type": "string"}},
        ),
    ]
}


class ShareStore:
    """The shares of one database."""

    def __init__(self, db: Database, at_rest: Keyring) -> None:
        self._shares, self._members, self._at_rest = db[SHARES], db[MEMBERS], at_rest

    # For a member

    async def hold(self, member_number: str, tx: Transaction) -> None:
        """Let no other transaction add to this member's shares, or change the member, until `tx` is over."""
        mark = {"$currentDate": {"shared_at": True}}
        await self._members.update_one({"_id": member_number}, mark, session=tx.session)

    async def open(self, member_number: str, now: datetime, tx: Transaction | None = None) -> list[Share]:
        """The member's shares that are not over, newest first."""
        query = {"member_number": member_number, "expires_at": {"$gt": now}}
        found = self._shares.find(query, session=tx.session if tx else None).sort("created_at", DESCENDING)
        return [self._share(row) for row in await found.to_list(None)]

    async def made_with(self, member_number: str, once: str, now: datetime, tx: Transaction) -> Share | None:
        """The share that a request with this key made, unless it is over."""
        query = {"member_number": member_number, "once": once, "expires_at": {"$gt": now}}
        row = await self._shares.find_one(query, session=tx.session)
        return self._share(row) if row else None

    async def add(self, share: Share, once: str | None, tx: Transaction) -> None:
        """Remember a new share; `once`: the key of the request."""
        row: Document = {
            "_id": digest(share.token),
            "share_id": share.share_id,
            "member_number": share.member_number,
            "sealed": self._at_rest.seal_at_rest(share.token, context=_place(share.member_number, share.share_id)),
            "created_at": share.created_at,
            "expires_at": share.expires_at,
            "opened": share.opened,
        }
        if once is not None:
            row["once"] = once
            over = {"member_number": share.member_number, "once": once}  # not yet swept away, or `made_with` had it
            await self._shares.delete_many(over, session=tx.session)
        await self._shares.insert_one(row, session=tx.session)

    async def end(self, member_number: str, share_id: str) -> bool:
        """Stop one; False if the member has none of that id, or no more."""
        gone = await self._shares.delete_one({"member_number": member_number, "share_id": share_id})
        return gone.deleted_count == 1

    # For whoever has a link

    async def find(self, token: str, now: datetime) -> Share | None:
        """The share with this secret, unless it is over."""
        row = await self._shares.find_one({"_id": digest(token), "expires_at": {"$gt": now}})
        return self._share(row) if row else None

    async def count(self, share: Share, now: datetime) -> bool:
        """Note that the card was shown; False if the share was stopped meanwhile."""
        opened = {"$inc": {"opened": 1}, "$max": {"last_opened_at": now}}
        return (await self._shares.update_one({"_id": digest(share.token)}, opened)).matched_count == 1

    # For events

    async def end_before(self, member_number: str, instant: datetime, tx: Transaction) -> None:
        """Stop what the member shared before that instant."""
        query = {"member_number": member_number, "created_at": {"$lt": instant}}
        await self._shares.delete_many(query, session=tx.session)

    async def erase(self, member_numbers: Group[str], tx: Transaction) -> None:
        """Delete all that is held of these members."""
        await self._shares.delete_many({"member_number": {"$in": list(member_numbers)}}, session=tx.session)

    def _share(self, row: Document) -> Share:
        place = _place(row["member_number"], row["share_id"])
        return Share(
            share_id=row["share_id"],
            member_number=row["member_number"],
            token=self._at_rest.open_at_rest(row["sealed"], context=place).decode(),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            opened=row["opened"],
            last_opened_at=row.get("last_opened_at"),
        )


def _place(member_number: str, share_id: str) -> str:
    return f"{SHARES}/{member_number}/{share_id}"
