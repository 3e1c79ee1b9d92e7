"""Events out: rows written in the same transaction as the state, published later by `shared.relay`.

A row belongs to a lane: the member number, or for the announcement of a dead letter its source partition. The lane's
counter is incremented in the transaction, so transactions of one lane are serialised, and it draws the row's time from
the database server: sorting by (`at`, `seq`) gives each lane in its order of commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection
from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne

from shared.events.base import Event, EventData
from shared.events.record import to_message
from shared.tracing import current_traceparent

COLLECTION = "outbox"
SEQUENCES = "member_sequences"
LEASES = "leases"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to publish: `lane` orders it, `key` (raw bytes or none) places it."""

    lane: str
    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, event: Event[EventData]) -> "Draft":
        """The draft of one of our events; it inherits the trace of the request under way."""
        if event.traceparent is None:
            event = replace(event, traceparent=current_traceparent.get())
        message = to_message(event)
        return cls(event.data.member_number, message.topic, message.key, message.value, message.headers)


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collections every service with an outbox has, and their indexes."""
    return {
        COLLECTION: [IndexModel([("at", ASCENDING), ("seq", ASCENDING)])],
        SEQUENCES: [],
        LEASES: [],
    }


async def insert(
    outbox: AsyncIOMotorCollection[Document],
    sequences: AsyncIOMotorCollection[Document],
    session: AsyncIOMotorClientSession,
    drafts: Sequence[Draft],
) -> None:
    """Number the drafts in their lanes and insert them, in the transaction of `session`."""
    lanes: dict[str, list[Draft]] = {}
    for draft in drafts:
        lanes.setdefault(draft.lane, []).append(draft)
    rows: list[Document] = []
    for last in await _advance(sequences, session, {lane: len(of_lane) for lane, of_lane in lanes.items()}):
        of_lane = lanes[last["_id"]]
        first = last["seq"] - len(of_lane) + 1
        rows += [_row(draft, first + i, last["at"]) for i, draft in enumerate(of_lane)]
    await outbox.insert_many(rows, session=session)


async def _advance(
    sequences: AsyncIOMotorCollection[Document], session: AsyncIOMotorClientSession, lanes: Mapping[str, int]
) -> list[Document]:
    """Each lane's counter after it went on by so many: one command for one lane, two for any number."""
    if len(lanes) == 1:
        [(lane, by)] = lanes.items()
        after = ReturnDocument.AFTER
        counter = await sequences.find_one_and_update(
            {"_id": lane}, _step(by), upsert=True, return_document=after, session=session
        )
        return [counter] if counter else []
    # One order for all, so that two batches never wait for each other crosswise.
    steps = [UpdateOne({"_id": lane}, _step(lanes[lane]), upsert=True) for lane in sorted(lanes)]
    await sequences.bulk_write(steps, ordered=True, session=session)
    return await sequences.find({"_id": {"$in": list(lanes)}}, session=session).to_list(None)


def _step(by: int) -> list[Document]:
    return [{"$set": {"seq": {"$add": [{"$ifNull": ["$seq", 0]}, by]}, "at": {"$max": ["$at", "$$NOW"]}}}]


def _row(draft: Draft, seq: int, at: Any) -> Document:
    return {
        "lane": draft.lane,
        "seq": seq,
        "at": at,
        "topic": draft.topic,
        "key": draft.key,
        "value": draft.value,
        "headers": [[name, value] for name, value in draft.headers],
    }
