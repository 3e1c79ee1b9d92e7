"""Every query and index of auth. One module a collection, or two of a kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel

from services.auth.store.accounts import Accounts
from services.auth.store.attempts import Attempts, Limits
from services.auth.store.identifiers import Identifiers
from services.auth.store.links import Links, ResetLinks, UndoLinks
from services.auth.store.sessions import Sessions
from shared.mongo import Mongo


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
        )


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
