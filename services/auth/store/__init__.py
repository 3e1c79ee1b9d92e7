"""Every query and index of auth. One module a collection, or two of a kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.auth.models import Account, CloseLink, ResetLink, UnlockLink
from services.auth.store.accounts import Accounts
from services.auth.store.attempts import Attempts, Limits
from services.auth.store.challenges import UsedChallenges, WithoutChallenge
from services.auth.store.identifiers import Identifiers
from services.auth.store.links import Links, OnceLinks, UndoLinks
from services.auth.store.passkeys import Passkeys
from services.auth.store.security_events import COLLECTION as SECURITY_EVENTS
from services.auth.store.security_events import Kept, SecurityEvents
from services.auth.store.sessions import Sessions
from shared.mongo import Mongo, Transaction


@dataclass(frozen=True, slots=True)
class Store:
    """All of them, for the use cases."""

    accounts: Accounts
    identifiers: Identifiers
    links: Links
    reset_links: OnceLinks[ResetLink]
    unlock_links: OnceLinks[UnlockLink]
    close_links: OnceLinks[CloseLink]
    undo_links: UndoLinks
    sessions: Sessions
    attempts: Attempts
    used_challenges: UsedChallenges
    without_challenge: WithoutChallenge
    security_events: SecurityEvents
    passkeys: Passkeys
    mongo: Mongo

    @classmethod
    def of(cls, mongo: Mongo, limits: Limits, events_kept: Kept) -> "Store":
        """The collections of one database. `limits`: of failed sign-ins; `events_kept`: how long the record lasts."""
        return cls(
            Accounts(mongo),
            Identifiers(mongo),
            Links(mongo),
            OnceLinks(mongo, "reset_links", ResetLink),
            OnceLinks(mongo, "unlock_links", UnlockLink),
            OnceLinks(mongo, "close_links", CloseLink),
            UndoLinks(mongo),
            Sessions(mongo),
            Attempts(mongo, limits),
            UsedChallenges(mongo),
            WithoutChallenge(mongo),
            SecurityEvents(mongo, events_kept),
            Passkeys(mongo),
            mongo,
        )

    async def forget(self, tx: Transaction, account: Account) -> None:
        """Delete every row that speaks of the member; the backbone's own are not among them."""
        number = account.member_number
        for name in _BY_MEMBER:
            await self.mongo.db[name].delete_many({"member_number": number}, session=tx.session)
        await self.mongo.db["accounts"].delete_one({"_id": number}, session=tx.session)
        await self.attempts.clear(tx, str(account.identifier_key))
        await self.security_events.forget(tx, account)


_BY_MEMBER = (
    "identifiers", "activation_links", "reset_links", "close_links", "unlock_links", "undo_links", "sessions",
    "passkeys",
)  # fmt: skip
"""Their rows have `member_number`, and an index on it."""


_OF_MEMBER = IndexModel([("member_number", ASCENDING)])
_DELETED = IndexModel([("delete_at", ASCENDING)], expireAfterSeconds=0)


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collections and their indexes; rows with an end go by themselves."""
    return {
        "accounts": [IndexModel([("identifier_key", ASCENDING)])],
        "identifiers": [_OF_MEMBER],
        "activation_links": [
            IndexModel([("member_number", ASCENDING), ("created_at", ASCENDING)]),
            _DELETED,
        ],
        "sessions": [
            IndexModel([("member_number", ASCENDING), ("opened_at", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ],
        "passkeys": [
            IndexModel([("member_number", ASCENDING), ("_id", ASCENDING)]),
            IndexModel([("credential_id", ASCENDING)], unique=True),
        ],
        "reset_links": [_OF_MEMBER, _DELETED],
        "close_links": [_OF_MEMBER, _DELETED],
        "undo_links": [
            IndexModel([("member_number", ASCENDING), ("created_at", ASCENDING)]),
            _DELETED,
        ],
        "unlock_links": [_OF_MEMBER, _DELETED],
        "sign_in_attempts": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
        SECURITY_EVENTS: [
            IndexModel([("member_number", ASCENDING), ("_id", DESCENDING)], sparse=True),
            IndexModel([("identifier_key", ASCENDING), ("_id", DESCENDING)], sparse=True),
            _DELETED,
        ],
        "used_challenges": [_DELETED],
        "resets_without_challenge": [_DELETED],
    }
