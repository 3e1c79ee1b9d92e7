"""Records a service could not take: kept whole and encrypted, announced on `<topic>.dead`, replayed on demand.

A row's key is topic, partition and offset, so a redelivered record makes no second one. An operator asks for a replay
by setting `replay_requested_at` (`portal dead-letters replay`, the `Desk` here); the consumer then hands the stored
record to the same handler and deletes the row when it went through.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter
from pymongo import ASCENDING, IndexModel

from shared.events.record import Record
from shared.mongo import Document, Mongo, Transaction
from shared.outbox import Draft
from shared.sealing import Keyring, SealingError

COLLECTION = "dead_letters"

_OLDEST_FIRST = [("at", ASCENDING), ("_id", ASCENDING)]

DEAD = Counter("espace_dead_letters_total", "Records that became dead letters.", ["topic", "reason"])


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collection and the indexes by which replays, and the oldest letters, are found."""
    return {COLLECTION: [IndexModel([("replay_requested_at", ASCENDING)], sparse=True), IndexModel(_OLDEST_FIRST)]}


class DeadLetters:
    """The dead letters of one consuming service."""

    def __init__(self, service: str, mongo: Mongo, at_rest: Keyring) -> None:
        self._service, self._mongo, self._at_rest = service, mongo, at_rest

    async def keep(self, record: Record, reason: str, attempts: int) -> None:
        """Store the record and its announcement in one transaction, however long the database is away."""
        row = self._row(record, reason, attempts)

        async def body(tx: Transaction) -> bool:
            done = await tx.db[COLLECTION].update_one(
                {"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True, session=tx.session
            )
            if done.upserted_id is not None:
                tx.publish_draft(self._announcement(record, reason))
            return done.upserted_id is not None

        if await self._mongo.transaction(body, deadline_s=None):
            DEAD.labels(record.topic, reason.split(":", maxsplit=1)[0]).inc()

    async def asked_again(self, limit: int = 20) -> list[tuple[str, Record]]:
        """Rows whose replay was asked for, oldest request first: (key, the record as it came)."""
        rows = self._mongo.db[COLLECTION].find({"replay_requested_at": {"$exists": True}})
        found = []
        for row in await rows.sort("replay_requested_at", ASCENDING).limit(limit).to_list(limit):
            try:
                found.append((row["_id"], self._record(row)))
            except SealingError as error:  # its key is gone: it must not stand in the way of the others
                await self.settle(row["_id"], f"not_opened:{type(error).__name__}")
        return found

    async def settle(self, key: str, reason: str | None) -> None:
        """End a replay: delete the row, or keep it with the new reason."""
        letters = self._mongo.db[COLLECTION]
        if reason is None:
            await letters.delete_one({"_id": key})
        else:
            change = {"$set": {"reason": reason}, "$inc": {"attempts": 1}, "$unset": {"replay_requested_at": ""}}
            await letters.update_one({"_id": key}, change)

    def _row(self, record: Record, reason: str, attempts: int) -> Document:
        key = row_key(record)
        return {
            "_id": key,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "reason": reason,
            "attempts": attempts,
            "at": datetime.now(UTC),
            "sealed": self._at_rest.seal_at_rest(_packed(record), context=f"dead_letters/{key}"),
        }

    def _record(self, row: Document) -> Record:
        packed = json.loads(self._at_rest.open_at_rest(row["sealed"], context=f"dead_letters/{row['_id']}"))
        headers = tuple((name, _bytes(value)) for name, value in packed["headers"])
        return Record(
            row["topic"], row["partition"], row["offset"], _bytes(packed["key"]), _bytes(packed["value"]), headers
        )

    def _announcement(self, record: Record, reason: str) -> Draft:
        headers = [(name, value) for name, value in record.headers if value is not None]
        about = {
            "dl_reason": reason,
            "dl_consumer": self._service,
            "dl_topic": record.topic,
            "dl_partition": str(record.partition),
            "dl_offset": str(record.offset),
        }
        return Draft(
            lane=f"{record.topic}/{record.partition}",
            topic=f"{record.topic}.dead",
            key=record.key,
            value=None if record.key is not None else b"",  # Kafka clients refuse a record with neither
            headers=(*headers, *((name, value.encode()) for name, value in about.items())),
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """What an operator sees of a dead letter: where the record lay and why it was refused, nothing of what it says."""

    service: str
    key: str
    reason: str
    attempts: int
    at: datetime
    replay_requested: bool


class UnknownLetters(Exception):
    """The service has no dead letters with these `keys`."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(", ".join(keys))
        self.keys = tuple(keys)


class Desk:
    """The operators' side of one service's dead letters. Needs `find` and `update` there, and none of its keys."""

    def __init__(self, service: str, mongo: Mongo) -> None:
        self._service, self._letters = service, mongo.db[COLLECTION]

    async def oldest(self, limit: int, topic: str | None = None) -> list[Letter]:
        """The `limit` oldest letters, oldest first; of one topic, if named."""
        shown = dict.fromkeys(("reason", "attempts", "at", "replay_requested_at"), True)
        rows = self._letters.find(_of(topic), shown).sort(_OLDEST_FIRST).limit(limit)
        return [
            Letter(self._service, row["_id"], row["reason"], row["attempts"], row["at"], "replay_requested_at" in row)
            async for row in rows
        ]

    async def request(self, keys: Sequence[str]) -> int:
        """Ask for the replay of these letters, of all or of none. Raises UnknownLetters."""
        which = {"_id": {"$in": list(keys)}}
        known = {row["_id"] async for row in self._letters.find(which, {"_id": True})}
        if unknown := [key for key in keys if key not in known]:
            raise UnknownLetters(unknown)
        return await self._request(which)

    async def request_all(self, topic: str | None = None, reason_prefix: str = "") -> int:
        """Ask for the replay of every letter, or of those of a topic or whose reason begins so."""
        return await self._request(_of(topic) | {"reason": {"$regex": f"^{re.escape(reason_prefix)}"}})

    async def _request(self, which: Document) -> int:
        # The least of two times: who asks again keeps the place in the queue.
        asked = await self._letters.update_many(which, {"$min": {"replay_requested_at": datetime.now(UTC)}})
        return asked.matched_count


def _of(topic: str | None) -> Document:
    return {} if topic is None else {"topic": topic}


def row_key(record: Record) -> str:
    """`topic-partition-offset`."""
    return f"{record.topic}-{record.partition}-{record.offset}"


def _packed(record: Record) -> str:
    headers = [[name, _text(value)] for name, value in record.headers]
    return json.dumps({"key": _text(record.key), "value": _text(record.value), "headers": headers})


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(value: Any) -> bytes | None:
    return None if value is None else base64.b64decode(value)
