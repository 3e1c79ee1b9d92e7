"""The HTTP entrance of notifications: messages with the management centre, preferences, the live stream."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

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
from shared.app import API_PREFIX
from shared.errors import FieldError, Invalid
from shared.live import EventStream, Live, position
from shared.tokens import CurrentMember


def _not_stored(response: Response) -> None:
    """What is written here stays in no cache, shared or not."""
    response.headers["cache-control"] = "no-store"


router = APIRouter(prefix=API_PREFIX, dependencies=[Depends(_not_stored)])


def _messages(request: Request) -> Messages:
    messages: Messages = request.app.state.messages
    return messages


def _choices(request: Request) -> Choices:
    choices: Choices = request.app.state.choices
    return choices


def _live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


AllMessages = Annotated[Messages, Depends(_messages)]
AllChoices = Annotated[Choices, Depends(_choices)]
LiveUpdates = Annotated[Live, Depends(_live)]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=200)]
ThreadId = Annotated[str, Path(max_length=128)]
IdempotencyKey = Annotated[str | None, Header(pattern=r"^[!-~]{1,128}$")]


@router.get("/messages")
async def list_threads(
    member: CurrentMember, messages: AllMessages, limit: Limit = 20, cursor: Cursor = None
) -> ThreadPage:
    """The member's threads with the management centre, newest activity first."""
    after = _position(cursor) if cursor else None
    page, last = await messages.threads(member.member_number, after, limit)
    return ThreadPage(items=[ThreadItem.of(thread) for thread in page], next_cursor=_cursor(last) if last else None)


@router.post("/messages", status_code=201)
async def write_message(
    member: CurrentMember, messages: AllMessages, new: NewMessage, idempotency_key: IdempotencyKey = None
) -> ThreadDetail:
    """Write to the management centre: begins a thread."""
    topic = Topic(category=new.category, subject=new.subject)
    draft = Draft(new.text, new.document_ids, idempotency_key)
    return ThreadDetail.whole(await messages.write(member.member_number, topic, draft))


@router.get("/messages/{thread_id}")
async def read_thread(member: CurrentMember, messages: AllMessages, thread_id: ThreadId) -> ThreadDetail:
    """One thread with its messages; its answers count as read from then on."""
    return ThreadDetail.whole(await messages.read(member.member_number, thread_id))


@router.post("/messages/{thread_id}/replies", status_code=201)
async def reply(
    member: CurrentMember,
    messages: AllMessages,
    thread_id: ThreadId,
    new: NewReply,
    idempotency_key: IdempotencyKey = None,
) -> ThreadDetail:
    """Add to a thread; 409 `thread_closed` where the centre has closed it."""
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


@router.get("/stream", response_class=Response)
async def stream(
    member: CurrentMember,
    live: LiveUpdates,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """What changes while the client listens: `message` events with the thread's id, `reload` where too much changed."""
    return await live.stream(member, position(last_event_id, after))


def _cursor(last: Position) -> str:
    return urlsafe_b64encode(json.dumps([last.active_at.isoformat(), last.thread_id]).encode()).decode().rstrip("=")


def _position(cursor: str) -> Position:
    try:
        at, thread_id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return Position(datetime.fromisoformat(at), str(thread_id))
    except (ValueError, TypeError):
        raise Invalid(errors=[FieldError("cursor", "cursor_invalid", "Not a cursor of this list")]) from None
