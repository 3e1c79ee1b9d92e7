"""documents' answers."""

from datetime import date, datetime
from typing import Literal

from services.gateway.schemas.wire import Wire

Status = Literal["received", "submitted", "accepted", "refused", "delivered"]


class Beneficiary(Wire):
    """Whom a document is for."""

    rank: int
    first_name: str | None = None


class Document(Wire):
    """One document in the list. `size` in bytes; amounts in integer euro cents."""

    document_id: str
    kind: str
    status: Status
    title: str | None = None
    received_at: datetime
    beneficiary: Beneficiary | None = None
    file_name: str
    size: int | None = None
    has_content: bool = False
    amount_cents: int | None = None
    reason: str | None = None
    reason_code: str | None = None


class Step(Wire):
    """One entry of the history."""

    status: Status
    at: datetime


class DocumentDetail(Document):
    """One document, whole."""

    care_date: date | None = None
    comment: str | None = None
    claim_id: str | None = None
    history: tuple[Step, ...] = ()


class DocumentPage(Wire):
    """Newest first. `next_cursor` is absent on the last page; `beneficiaries`: whom one may be sent for."""

    items: tuple[Document, ...]
    next_cursor: str | None = None
    beneficiaries: tuple[Beneficiary, ...] = ()
