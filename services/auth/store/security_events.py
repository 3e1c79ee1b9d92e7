"""`security_events`: what happened to accounts, only ever added to; rows go by themselves at the end of their time.

A failed sign-in is written by its identifier's lookup key, whoever has it or nobody: the row is the same for all.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import DESCENDING

from services.auth.models import Account, SecurityEvent, SecurityEventKind
from shared import clock, ids
from shared.mongo import Document, Mongo, Transaction

COLLECTION = "security_events"

current_network: ContextVar[str | None] = ContextVar("current_network", default=None)
"""Where the request under way comes from (/24, IPv6 /64); none in a worker."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a row lasts: what happened to an account, and what was refused with an identifier, anybody's or not."""

    events: timedelta
    failures: timedelta


class SecurityEvents:
    """Who, what, when, from where, with what outcome; never a password, a token, an address or a number of a person."""

    def __init__(self, mongo: Mongo, kept: Kept) -> None:
        self._collection, self._kept = mongo.db[COLLECTION], kept

    async def note(
        self, tx: Transaction, member_number: str, kind: SecurityEventKind, *, device: str | None = None
    ) -> None:
        """It happened, if `tx` commits. `device`: in plain words."""
        event = self._now(kind, device, self._kept.events).model_copy(update={"member_number": member_number})
        await self._collection.insert_one(_row(event), session=tx.session)

    async def note_failure(self, identifier_key: str, kind: SecurityEventKind, *, device: str | None = None) -> None:
        """It was tried with that identifier and refused."""
        event = self._now(kind, device, self._kept.failures).model_copy(update={"identifier_key": identifier_key})
        await self._collection.insert_one(_row(event))

    async def noted(self, tx: Transaction, member_number: str, kind: SecurityEventKind, since: datetime) -> int:
        """How often that happened to the account since then."""
        selection = {"member_number": member_number, "kind": kind, "at": {"$gte": since}}
        return await self._collection.count_documents(selection, session=tx.session)

    async def of_account(self, account: Account, before: str | None, limit: int) -> list[SecurityEvent]:
        """The latest `limit` of the account, those older than the event `before`; newest first."""
        older = {"_id": {"$lt": before}} if before else {}
        found = self._collection.find({"$or": [{**one, **older} for one in _whose(account)]})
        found = found.sort("_id", DESCENDING).limit(limit)
        return [SecurityEvent.model_validate(row) async for row in found]

    async def forget(self, tx: Transaction, account: Account) -> None:
        """Delete what is known of an account that is erased."""
        await self._collection.delete_many({"$or": _whose(account)}, session=tx.session)

    def _now(self, kind: SecurityEventKind, device: str | None, kept: timedelta) -> SecurityEvent:
        now: datetime = clock.now()
        return SecurityEvent(
            id=ids.new_id(),  # sorts by time
            at=now,
            kind=kind,
            network=current_network.get(),
            device=device,
            delete_at=now + kept,
        )


def _whose(account: Account) -> list[Document]:
    tried = [{"identifier_key": account.identifier_key}] if account.identifier_key else []
    return [{"member_number": account.member_number}, *tried]


def _row(event: SecurityEvent) -> Document:
    return event.model_dump(by_alias=True, exclude_none=True)  # the indexes are sparse
