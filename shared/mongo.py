"""One MongoDB database: its client, its collections and indexes, and transactions that outlive what passes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import IndexModel, ReadPreference, ReplaceOne, UpdateOne, WriteConcern
from pymongo.errors import CollectionInvalid, PyMongoError
from pymongo.read_concern import ReadConcern

from shared.backoff import Backoff
from shared.conflicts import WriteConflict, conflicts, passes
from shared.errors import Unavailable
from shared.events.base import Event, EventData
from shared.logs import get_logger
from shared.outbox import COLLECTION as OUTBOX
from shared.outbox import SEQUENCES, Draft, collections, insert

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession
T = TypeVar("T")

MAX_COMMIT_TIME_MS = 5_000

log = get_logger(__name__)


class Transaction:
    """One MongoDB transaction under way, and the events that go out if it commits."""

    def __init__(self, db: Database, session: Session) -> None:
        self.db = db
        self.session = session
        self.drafts: list[Draft] = []
        self.at_end: list[Callable[[bool], None]] = []
        """Called when it is over, with whether it was committed."""
        self._last: dict[str, list[UpdateOne | ReplaceOne[Document]]] = {}

    async def insert_new(self, collection: str, rows: Sequence[Document]) -> None:
        """Insert rows that are not there; raises `WriteConflict` if one is, for the next try to see it."""
        if rows:
            with conflicts():
                await self.db[collection].insert_many(rows, ordered=False, session=self.session)

    async def write(self, collection: str, changes: Sequence[UpdateOne]) -> None:
        """Update or upsert, in any order; raises `WriteConflict` if another transaction made one of these meanwhile."""
        if changes:
            with conflicts():
                await self.db[collection].bulk_write(changes, ordered=False, session=self.session)

    def write_last(self, collection: str, change: UpdateOne | ReplaceOne[Document]) -> None:
        """Write this before the commit, in one command with what else is written last in its collection.

        Each has to find or make its document, or the transaction is tried again: `WriteConflict`.
        """
        self._last.setdefault(collection, []).append(change)

    async def flush(self, *collections: str) -> None:
        """Write now what was to be last there (by default everywhere): for who reads or changes it here."""
        for collection in collections or tuple(self._last):
            if changes := self._last.pop(collection, ()):
                with conflicts():
                    done = await self.db[collection].bulk_write(changes, session=self.session)
                if done.matched_count + done.upserted_count < len(changes):
                    raise WriteConflict

    def publish(self, event: Event[EventData]) -> None:
        """Write `event` to the outbox in this transaction; the relay publishes it after the commit."""
        self.drafts.append(Draft.of(event))

    def publish_draft(self, draft: Draft) -> None:
        """The same for a message that is no event of ours (the announcement of a dead letter)."""
        self.drafts.append(draft)


class _Database(AsyncIOMotorDatabase[Document]):
    """Makes the object of each collection once: Motor's new one at every look was 4 % of what claims computed."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        super().__init__(client, name)
        self._made: dict[str, Collection] = {}

    def __getitem__(self, name: str) -> Collection:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


class Mongo:
    """A service's database as a part of its life: connects, makes what is missing, runs transactions.

    `collections` maps each collection to its indexes. Writes are `w=majority, j=true`, reads `majority`.
    """

    name = "mongo"
    required = True

    def __init__(
        self,
        url: str,
        database: str,
        *,
        collections: Mapping[str, Sequence[IndexModel]] | None = None,
        wait_s: float = 2.0,
        pool_connections: int = 50,
    ) -> None:
        wait_ms = int(wait_s * 1000)
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            tz_aware=True,
            w="majority",
            journal=True,
            readConcernLevel="majority",
            retryWrites=True,
            serverSelectionTimeoutMS=wait_ms,
            connectTimeoutMS=wait_ms,
            socketTimeoutMS=20_000,
            waitQueueTimeoutMS=wait_ms,
            maxPoolSize=pool_connections,
            uuidRepresentation="standard",
        )
        self.db: Database = _Database(self._client, database)
        self._collections = dict(collections or {})
        self._started = False
        self.committed = asyncio.Event()
        """Set whenever a transaction with events committed here: wakes the relay of this process."""

    async def start(self) -> None:
        """Wait for the primary, then make the collections and indexes that are missing."""
        await self.db.command("ping")
        wanted = {**collections(), **self._collections}
        present = set(await self.db.list_collection_names())
        for name in wanted.keys() - present:
            try:
                await self.db.create_collection(name)
            except CollectionInvalid:  # another replica of this service was faster
                continue
        for name, indexes in wanted.items():
            if indexes:
                await self.db[name].create_indexes(list(indexes))
        self._started = True

    async def stop(self) -> None:
        """Close every connection."""
        self._client.close()

    async def state(self) -> str:
        """`ok`, or why requests cannot be answered now."""
        if not self._started:
            return "starting"
        try:
            await self.db.command("ping")
        except PyMongoError:
            return "unreachable"
        return "ok"

    async def transaction(self, body: Callable[[Transaction], Awaitable[T]], *, deadline_s: float | None = 5.0) -> T:
        """Run `body` and commit; `body` may run again, so it must have no effect outside its transaction.

        What passes is retried with backoff for `deadline_s` seconds (`None`: as long as it takes), then raises
        `Unavailable`. What MongoDB or `body` refuses is raised as it is, with nothing written.
        """
        backoff = Backoff(first_s=0.02, cap_s=2.0)
        give_up_at = None if deadline_s is None else time.monotonic() + deadline_s
        while True:
            try:
                return await self._attempt(body, give_up_at)
            except (PyMongoError, WriteConflict) as error:
                if not passes(error):
                    raise
                if give_up_at is not None and time.monotonic() > give_up_at:
                    raise Unavailable from error
                log.log(*_severity(backoff.tries), "transaction_retried", error=type(error).__name__)
                await backoff.sleep()

    async def _attempt(self, body: Callable[[Transaction], Awaitable[T]], give_up_at: float | None) -> T:
        async with self._session() as session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                read_preference=ReadPreference.PRIMARY,
                max_commit_time_ms=MAX_COMMIT_TIME_MS,
            )
            tx, committed = Transaction(self.db, session), False
            try:
                result = await self._run(body, tx, give_up_at)
                committed = True
            finally:
                for end in tx.at_end:
                    end(committed)
        if tx.drafts:
            self.committed.set()
        return result

    async def _run(self, body: Callable[[Transaction], Awaitable[T]], tx: Transaction, give_up_at: float | None) -> T:
        try:
            result = await body(tx)
            await tx.flush()
            await self._insert_drafts(tx)
        except BaseException:
            await _abort(tx.session)
            raise
        await _commit(tx.session, give_up_at)
        return result

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        """Without Motor's two changes of thread: neither beginning nor ending one asks the server anything."""
        session = Session(self._client.delegate.start_session(), self._client)
        try:
            yield session
        finally:
            if session.delegate.in_transaction:  # left in the middle of a commit: ending it asks for an abort
                await session.end_session()
            else:
                session.delegate.end_session()

    async def _insert_drafts(self, tx: Transaction) -> None:
        if not tx.drafts:
            return
        with conflicts():  # two first events of one member: the counter was made by the other
            await insert(self.db[OUTBOX], self.db[SEQUENCES], tx.session, tx.drafts)


async def server_time(db: Database) -> datetime:
    """The database server's clock, for what is stamped here; needs no privilege and no transaction."""
    hello = await db.command("hello", codec_options=db.codec_options)
    now: datetime = hello["localTime"]
    return now


async def _abort(session: Session) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        log.debug("abort_unanswered")  # the server drops it by itself (transactionLifetimeLimitSeconds)


async def _commit(session: Session, give_up_at: float | None) -> None:
    """Commit, asking again while the answer is unknown: the server makes a repeated commit harmless."""
    backoff = Backoff(first_s=0.05, cap_s=2.0)
    while True:
        try:
            await session.commit_transaction()
            return
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise
            if give_up_at is not None and time.monotonic() > give_up_at:
                raise Unavailable from error
            await backoff.sleep()


def _severity(tries: int) -> tuple[int]:
    """A first conflict is everyday; a long row of them is worth a warning."""
    return (30,) if tries >= 5 and tries % 5 == 0 else (10,)
