"""notifications.v1: what the notifications service publishes."""

from typing import ClassVar, Literal

from shared.events.auth import Consents
from shared.events.base import EventData
from shared.events.fields import Code, DocumentIds, Id, Instant, Language, Line, ObjectName, Text


class NotificationsEvent(EventData):
    topic: ClassVar[str] = "notifications.v1"
    source: ClassVar[str] = "/notifications"


class MessageSent(NotificationsEvent):
    """A member's message to the management centre."""

    thread_id: Id
    message_id: Id
    in_reply_to: Id | None = None
    sent_at: Instant
    category: Code
    subject: Line
    text: Text
    document_ids: DocumentIds = ()


class LetterReady(NotificationsEvent):
    """A letter lies in MinIO for the printing house."""

    letter_id: Id
    kind: Literal["welcome", "temporary_password"]
    bucket: Literal["letters"]
    object: ObjectName


class PreferencesChanged(NotificationsEvent):
    language: Language
    consents: Consents


class MailUndeliverable(NotificationsEvent):
    """The insurer learns that an address is wrong. `kind` is the mail's."""

    kind: Code
    at: Instant
