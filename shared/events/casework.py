"""casework.v1: what the management centre and the printing house publish."""

from datetime import date
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from shared.events.base import EventData
from shared.events.fields import DocumentIds, Id, Instant, Line, ObjectName, Sha256, Text, broken


class CaseworkEvent(EventData):
    topic: ClassVar[str] = "casework.v1"
    source: ClassVar[str] = "/casework"


class DocumentProcessed(CaseworkEvent):
    """What became of a document the member sent. `reason` is shown to the member."""

    document_id: Id
    outcome: Literal["accepted", "refused"]
    reason: Text | None = None
    claim_id: Id | None = None

    @model_validator(mode="after")
    def _says_why_it_is_refused(self) -> Self:
        if self.outcome == "refused" and self.reason is None:
            raise broken("required_for_refusal", "reason", "Required when the outcome is refused")
        return self


class DocumentDelivered(CaseworkEvent):
    """A document from the insurer to the member, put into MinIO beforehand or within 24 h."""

    document_id: Id
    kind: Literal["attestation", "guarantees", "premium_schedule", "other"]
    title: Line
    bucket: Literal["deliveries"]
    object: ObjectName
    sha256: Sha256


class MessageAnswered(CaseworkEvent):
    """The answer to `message_id`."""

    thread_id: Id
    message_id: Id
    answer_id: Id
    text: Text
    answered_at: Instant
    document_ids: DocumentIds = ()
    closes: bool


class LetterPosted(CaseworkEvent):
    letter_id: Id
    posted_on: date
