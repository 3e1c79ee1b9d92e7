"""Threads of messages. Subjects, texts and categories speak of health: at rest they are sealed, each to its own place.

A thread's row is followed by live streams (`shared.live`): its `_id` names its owner, `updated_at` is the database
server's clock. A message's `_id` names its thread and its sender besides, so that no id of the centre's meets ours.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.notifications.models import Message, Sender, Thread, Topic
from shared.conflicts import WriteConflict
from shared.live import key
from shared.mongo import Database, Document, Transaction
from shared.sealing import Keyring

THREADS = "threads"
MESSAGES = "messages"

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    THREADS: [
        # A member's list, newest activity first.
        IndexModel([("member_number", ASCENDING), ("active_at", DESCENDING), ("thread_id", DESCENDING)], name="list"),
        # What changed since a stream was cut (shared.live).
        IndexModel([("member_number", ASCENDING), ("updated_at", ASCENDING)], name="live"),
    ],
    MESSAGES: [
        IndexModel([("member_number", ASCENDING), ("thread_id", ASCENDING), ("at", ASCENDING)], name="thread"),
        # One effect for each `Idempotency-Key` of a member.
        IndexModel(
            [("member_number", ASCENDING), ("once", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"once": {"$type": "string"}},
        ),
    ],
}


@dataclass(frozen=True, slots=True)
class Position:
    """The last thread of the page before."""

    active_at: datetime
    thread_id: str

    @classmethod
    def of(cls, thread: Thread) -> "Position":
        """Where this thread stands in the list."""
        return cls(thread.active_at, thread.thread_id)


class MessageStore:
    """Reads and writes threads and their messages, always a member's own."""

    def __init__(self, db: Database, at_rest: Keyring) -> None:
        self._threads, self._messages, self._at_rest = db[THREADS], db[MESSAGES], at_rest

    async def threads(self, member_number: str, after: Position | None, limit: int) -> list[Thread]:
        """Up to `limit` threads after that position, newest activity first."""
        query: Document = {"member_number": member_number}
        if after is not None:
            older = {"active_at": after.active_at, "thread_id": {"$lt": after.thread_id}}
            query["$or"] = [{"active_at": {"$lt": after.active_at}}, older]
        rows = self._threads.find(query).sort([("active_at", DESCENDING), ("thread_id", DESCENDING)]).limit(limit)
        return [self._thread(row) for row in await rows.to_list(limit)]

    async def thread(self, member_number: str, thread_id: str, *, tx: Transaction | None = None) -> Thread | None:
        """One thread of this member."""
        session = tx.session if tx else None
        row = await self._threads.find_one({"_id": key(member_number, thread_id)}, session=session)
        return self._thread(row) if row else None

    async def messages(self, member_number: str, thread_id: str, limit: int) -> list[Message]:
        """The newest `limit` messages of a thread, oldest first."""
        rows = self._messages.find({"member_number": member_number, "thread_id": thread_id})
        newest = await rows.sort([("at", DESCENDING), ("_id", DESCENDING)]).to_list(limit)
        return [self._message(row) for row in reversed(newest)]

    async def has(self, tx: Transaction, thread: Thread, sender: Sender, message_id: str) -> bool:
        """Whether the thread holds this message."""
        where = {"_id": _message_key(thread, sender, message_id)}
        return await self._messages.find_one(where, {"_id": 1}, session=tx.session) is not None

    async def thread_of(self, tx: Transaction, member_number: str, once: str) -> str | None:
        """The thread in which a request with this key had its effect."""
        where = {"member_number": member_number, "once": once}
        row = await self._messages.find_one(where, {"thread_id": 1}, session=tx.session)
        return row["thread_id"] if row else None

    async def add(self, tx: Transaction, thread: Thread, message: Message, *, once: str | None = None) -> None:
        """Write the thread as it is with its new message, and the message. `once`: the key of the request."""
        await self._save(tx, thread)
        place = _message_key(thread, message.sender, message.message_id)
        row: Document = {
            "_id": place,
            "member_number": thread.member_number,
            "thread_id": thread.thread_id,
            "message_id": message.message_id,
            "sender": message.sender.value,
            "at": message.at,
            "sealed": self._sealed(message.model_dump_json(include={"text", "document_ids"}), f"{MESSAGES}/{place}"),
        }
        if once is not None:
            row["once"] = once
        try:
            await self._messages.insert_one(row, session=tx.session)
        except DuplicateKeyError as error:  # the same request beside this one was faster: the next try sees its effect
            raise WriteConflict from error

    async def mark_read(self, thread: Thread) -> None:
        """The answers counted in `thread` were shown; one that came meanwhile stays unread."""
        where = {"_id": key(thread.member_number, thread.thread_id), "answers_read": {"$lt": thread.answers}}
        change = {"$set": {"answers_read": thread.answers}, "$currentDate": {"updated_at": True}}
        await self._threads.update_one(where, change)

    async def forget_member(self, tx: Transaction, member_number: str) -> None:
        """Delete every thread and message of this member."""
        await self._threads.delete_many({"member_number": member_number}, session=tx.session)
        await self._messages.delete_many({"member_number": member_number}, session=tx.session)

    async def _save(self, tx: Transaction, thread: Thread) -> None:
        place = key(thread.member_number, thread.thread_id)
        row = thread.model_dump(exclude={"topic"})
        row["last_sender"] = thread.last_sender.value
        row["sealed"] = self._sealed(thread.topic.model_dump_json(), f"{THREADS}/{place}")
        change = {"$set": row, "$currentDate": {"updated_at": True}}
        await self._threads.update_one({"_id": place}, change, upsert=True, session=tx.session)

    def _sealed(self, text: str, context: str) -> str:
        return self._at_rest.seal_at_rest(text, context=context)

    def _thread(self, row: Document) -> Thread:
        topic = self._at_rest.open_at_rest(row["sealed"], context=f"{THREADS}/{row['_id']}")
        return Thread.model_validate({**row, "topic": Topic.model_validate_json(topic)})

    def _message(self, row: Document) -> Message:
        words = self._at_rest.open_at_rest(row["sealed"], context=f"{MESSAGES}/{row['_id']}")
        return Message.model_validate({**row, **json.loads(words)})


def _message_key(thread: Thread, sender: Sender, message_id: str) -> str:
    return key(thread.member_number, f"{thread.thread_id}/{sender.value}/{message_id}")
