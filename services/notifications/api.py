"""The HTTP entrance of notifications: messages with the management centre, preferences, the live stream."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from services.notifications.models import Topic
from services.notifications.rules import Preferences
from services.notifications.schemas import (
    ChangedPreferences,
    NewMessage,
    NewReply,
    PreferencesOut,
    ThreadDetail,
    ThreadItem,
    ThreadPage,
)
from services.notifications.service.messages import Draft, Messages
from services.notifications.service.preferences import Choices
from services.notifications.store import Position
from shared.api import Cursor, IdempotencyKey, Limit, NotStored, list_cursor, list_position
from shared.app import API_PREFIX
from shared.tokens import CurrentMember, WritingMember

router = APIRouter(prefix=API_PREFIX, dependencies=[NotStored])


async def _messages(request: Request) -> Messages:
    messages: Messages = request.app.state.messages
    return messages


async def _choices(request: Request) -> Choices:
    choices: Choices = request.app.state.choices
    return choices


AllMessages = Annotated[Messages, Depends(_messages)]
AllChoices = Annotated[Choices, Depends(_choices)]
ThreadId = Annotated[str, Path(max_length=128)]


@router.get("/messages")
async def list_threads(
    member: CurrentMember, messages: AllMessages, limit: Limit = 20, cursor: Cursor = None
) -> ThreadPage:
    """The member's threads with the management centre, newest activity first."""
    after = Position(*list_position(cursor, datetime)) if cursor else None
    page, last = await messages.threads(member.member_number, after, limit)
    return ThreadPage(
        items=[ThreadItem.of(thread) for thread in page],
        next_cursor=list_cursor(last.active_at.isoformat(), last.thread_id) if last else None,
    )


@router.post("/messages", status_code=201)
async def write_message(
    member: WritingMember, messages: AllMessages, new: NewMessage, idempotency_key: IdempotencyKey = None
) -> ThreadDetail:
    """Write to the management centre: begins a thread. 403 `membership_ended` once the membership is over."""
    topic = Topic(category=new.category, subject=new.subject)
    draft = Draft(new.text, new.document_ids, idempotency_key)
    return ThreadDetail.whole(await messages.write(member.member_number, topic, draft))


@router.get("/messages/{thread_id}")
async def read_thread(member: CurrentMember, messages: AllMessages, thread_id: ThreadId) -> ThreadDetail:
    """One thread with its messages; its answers count as read from then on."""
    return ThreadDetail.whole(await messages.read(member.member_number, thread_id))


@router.post("/messages/{thread_id}/replies", status_code=201)
async def reply(
    member: WritingMember,
    messages: AllMessages,
    thread_id: ThreadId,
    new: NewReply,
    idempotency_key: IdempotencyKey = None,
) -> ThreadDetail:
    """Add to a thread. 409 `thread_closed` if the centre closed it, 403 `membership_ended` after the membership."""
    draft = Draft(new.text, new.document_ids, idempotency_key)
    return ThreadDetail.whole(await messages.reply(member.member_number, thread_id, draft))


@router.get("/preferences")
async def read_preferences(member: CurrentMember, choices: AllChoices) -> PreferencesOut:
    """The member's language, and what may be mailed to them."""
    return PreferencesOut.of(await choices.of(member.member_number))


@router.patch("/preferences")
async def change_preferences(member: CurrentMember, choices: AllChoices, changed: ChangedPreferences) -> PreferencesOut:
    """Change some of them; answers those in force then."""
    changes = Preferences(changed.language, changed.consents.model_dump(exclude_none=True))
    return PreferencesOut.of(await choices.change(member.member_number, changes))
