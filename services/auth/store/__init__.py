"""Every query and index of auth. One module a collection, or two of a kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel

from services.auth.models import Account
from services.auth.store.accounts import Accounts
from services.auth.store.attempts import Attempts, Limits
from services.auth.store.identifiers import Identifiers
from services.auth.store.links import Links, ResetLinks, UndoLinks
from services.auth.store.sessions import Sessions
from shared.mongo import Mongo, Transaction


@dataclass(frozen=True, slots=True)
class Store:
    """All of them, for the use cases."""

    accounts: Accounts
    identifiers: Identifiers
    links: Links
    reset_links: ResetLinks
    undo_links: UndoLinks
    sessions: Sessions
    attempts: Attempts

    mongo: Mongo

    @classmethod
    def of(cls, mongo: Mongo, limits: Limits) -> "Store":
        """The collections of one database; `limits` are those of failed sign-ins."""
        return cls(
            Accounts(mongo),
            Identifiers(mongo),
            Links(mongo),
            ResetLinks(mongo),
            UndoLinks(mongo),
            Sessions(mongo),
            Attempts(mongo, limits),
            mongo,
        )

    async def forget(self, tx: Transaction, account: Account) -> None:
        """Delete every row that speaks of the member; the backbone's own are not among them."""
        number = account.member_number
        for name in collections().keys() - _NOT_BY_MEMBER:
            await self.mongo.db[name].delete_many({"member_number": number}, session=tx.session)
        await self.mongo.db["accounts"].delete_one({"_id": number}, session=tx.session)
        await self.attempts.clear_all(tx, str(account.identifier_key))


_NOT_BY_MEMBER = frozenset({"accounts", "sign_in_attempts"})
"""These are found by another key; all others have `member_number`."""


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collections and their indexes; rows with an end go by themselves."""
    return {
        "accounts": [],
        "identifiers": [IndexModel([("member_number", ASCENDING)])],
        "activation_links": [
            IndexModel([("member_number", ASCENDING), ("created_at", ASCENDING)]),
            IndexModel([("delete_at", ASCENDING)], expireAfterSeconds=0),
        ],
        "sessions": [
            IndexModel([("member_number", ASCENDING), ("opened_at", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ],
        "reset_links": [
            IndexModel([("member_number", ASCENDING)]),
            IndexModel([("delete_at", ASCENDING)], expireAfterSeconds=0),
        ],
        "undo_links": [
            IndexModel([("member_number", ASCENDING), ("created_at", ASCENDING)]),
            IndexModel([("delete_at", ASCENDING)], expireAfterSeconds=0),
        ],
        "sign_in_attempts": [
            IndexModel([("identifier", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ],
    }
