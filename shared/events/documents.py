"""documents.v1: what the documents service publishes."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.events.base import EventData
from shared.events.fields import Cents, Code, Id, Line, ObjectName, Rank, Sha256, Text


class DocumentsEvent(EventData):
    topic: ClassVar[str] = "documents.v1"
    source: ClassVar[str] = "/documents"


class DocumentSubmitted(DocumentsEvent):
    """A member's document, checked and stored. `size` (bytes) and `sha256` are those of the object named."""

    document_id: Id
    kind: Literal["invoice", "quote", "prescription", "certificate", "other"]
    beneficiary_rank: Rank
    file_name: Line
    media_type: Code
    size: Annotated[int, Field(ge=0, le=2**63 - 1)]
    sha256: Sha256
    original_sha256: Sha256
    bucket: Literal["documents-accepted"]
    object: ObjectName
    submission_id: Id | None = None
    page: Annotated[int, Field(ge=1, le=10_000)] | None = None
    amount_cents: Cents | None = None
    care_date: date | None = None
    comment: Text | None = None
    claim_id: Id | None = None


class DocumentRefused(DocumentsEvent):
    """Refused by intake."""

    document_id: Id
    reason_code: Code
