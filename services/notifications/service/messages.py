"""Messages between a member and the management centre: threads that either side adds to."""

from dataclasses import dataclass
from typing import Any

from services.notifications.errors import ThreadClosed
from services.notifications.models import Message, Sender, Thread, Topic
from services.notifications.service.mails import Mails
from services.notifications.store import MessageStore, Position
from shared.applier import Refused
from shared.clock import now
from shared.errors import NotFound
from shared.events.base import Event
from shared.events.casework import MessageAnswered
from shared.events.notifications import MessageSent
from shared.ids import new_id
from shared.mongo import Mongo, Transaction

MAX_MESSAGES = 500
"""Of one thread: with more, it takes no reply, and the newest are shown."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a member wrote, checked. `idempotency_key`: the same one again has no second effect."""

    text: str
    document_ids: tuple[str, ...] = ()
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread and its messages, oldest first."""

    thread: Thread
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything that happens to messages."""

    mongo: Mongo
    store: MessageStore
    mails: Mails

    async def threads(
        self, member_number: str, after: Position | None, limit: int
    ) -> tuple[list[Thread], Position | None]:
        """Up to `limit` threads after that position, newest activity first; and where the next page begins."""
        found = await self.store.threads(member_number, after, limit + 1)
        page = found[:limit]
        return page, Position.of(page[-1]) if len(found) > limit else None

    async def read(self, member_number: str, thread_id: str) -> Conversation:
        """The thread as the member finds it; its answers count as read from then on. Raises `NotFound`."""
        conversation = await self._conversation(member_number, thread_id)
        if conversation.thread.unread:
            await self.store.mark_read(conversation.thread)
        return conversation

    async def write(self, member_number: str, topic: Topic, draft: Draft) -> Conversation:
        """Begin a thread."""
        once = f"new {draft.idempotency_key}" if draft.idempotency_key else None

        async def body(tx: Transaction) -> str:
            if once and (known := await self.store.thread_of(tx, member_number, once)):
                return known
            message = _message(draft)
            thread = Thread(
                member_number=member_number,
                thread_id=new_id(),
                topic=topic,
                active_at=message.at,
                last_sender=message.sender,
                last_message_id=message.message_id,
                messages=1,
            )
            await self.store.add(tx, thread, message, once=once)
            tx.publish(_sent(thread, message, in_reply_to=None))
            return thread.thread_id

        return await self._conversation(member_number, await self.mongo.transaction(body))

    async def reply(self, member_number: str, thread_id: str, draft: Draft) -> Conversation:
        """Add to a thread. Raises `NotFound`, `ThreadClosed`."""
        once = f"{thread_id} {draft.idempotency_key}" if draft.idempotency_key else None

        async def body(tx: Transaction) -> None:
            thread = await self.store.thread(member_number, thread_id, tx=tx)
            if thread is None:
                raise NotFound
            if once and await self.store.thread_of(tx, member_number, once):
                return
            if not takes_replies(thread):
                raise ThreadClosed
            message = _message(draft)
            await self.store.add(tx, _with(thread, message), message, once=once)
            tx.publish(_sent(thread, message, in_reply_to=thread.last_message_id))

        await self.mongo.transaction(body)
        return await self._conversation(member_number, thread_id)

    async def take_answer(self, event: Event[MessageAnswered], tx: Transaction) -> None:
        """Show the centre's answer in its thread and have the member told by mail. A repeated answer: nothing."""
        data = event.data
        thread = await self.store.thread(data.member_number, data.thread_id, tx=tx)
        if thread is None:
            raise Refused("unknown_thread")
        if await self.store.has(tx, thread, Sender.CENTRE, data.answer_id):
            return
        answer = Message(
            message_id=data.answer_id,
            sender=Sender.CENTRE,
            at=min(data.answered_at, now()),  # a clock that is ahead must not keep a thread on top
            text=data.text,
            document_ids=data.document_ids,
        )
        grown = _with(thread, answer)
        closed = thread.closed or data.closes
        await self.store.add(tx, grown.model_copy(update={"answers": thread.answers + 1, "closed": closed}), answer)
        await self.mails.order("answer", event, tx)

    async def _conversation(self, member_number: str, thread_id: str) -> Conversation:
        # The thread first: an answer that comes in between is shown, and stays marked as unread.
        thread = await self.store.thread(member_number, thread_id)
        if thread is None:
            raise NotFound
        return Conversation(thread, await self.store.messages(member_number, thread_id, MAX_MESSAGES))


def takes_replies(thread: Thread) -> bool:
    """Whether the member can add to this thread."""
    return not thread.closed and thread.messages < MAX_MESSAGES


def _message(draft: Draft) -> Message:
    return Message(
        message_id=new_id(), sender=Sender.MEMBER, at=now(), text=draft.text, document_ids=draft.document_ids
    )


def _with(thread: Thread, message: Message) -> Thread:
    """`thread` once it holds `message`, which may be older than its newest."""
    update: dict[str, Any] = {"messages": thread.messages + 1}
    if message.at >= thread.active_at:
        update |= {"active_at": message.at, "last_sender": message.sender, "last_message_id": message.message_id}
    return thread.model_copy(update=update)


def _sent(thread: Thread, message: Message, *, in_reply_to: str | None) -> Event[MessageSent]:
    data = MessageSent(
        member_number=thread.member_number,
        thread_id=thread.thread_id,
        message_id=message.message_id,
        in_reply_to=in_reply_to,
        sent_at=message.at,
        category=thread.topic.category,
        subject=thread.topic.subject,
        text=message.text,
        document_ids=message.document_ids,
    )
    return Event.of(data, subject=message.message_id)
