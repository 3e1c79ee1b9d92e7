"""notifications' answers about messages with the management centre."""

from datetime import datetime
from typing import Literal

from services.gateway.schemas.wire import Wire


class Message(Wire):
    """One message; `at` is when it was written."""

    message_id: str
    sender: Literal["member", "centre"]
    at: datetime
    text: str


class Thread(Wire):
    """One thread in the list. `unread`: answers not opened yet."""

    thread_id: str
    category: str
    subject: str
    last_activity_at: datetime
    last_sender: Literal["member", "centre"]
    unread: int
    can_reply: bool


class ThreadPage(Wire):
    """Newest activity first. `next_cursor` is absent on the last page."""

    items: tuple[Thread, ...]
    next_cursor: str | None = None


class ThreadDetail(Thread):
    """One thread, its messages oldest first."""

    messages: tuple[Message, ...]
