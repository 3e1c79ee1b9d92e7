"""What goes over the wire: the fields of a form with a file, and documents as their member sees them."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from services.documents import rules
from services.documents.models import Document, DocumentStatus, Member, Person, Step
from shared.errors import FieldError, Invalid
from shared.events.fields import Id

MAX_CENTS = 10_000_000
_EUROS = re.compile(r"(\d{1,6})(?:[.,](\d{1,2}))?")


def _cents(typed: object) -> object:
    """`23,50`, `1 234.5 €` → cents."""
    match = _EUROS.fullmatch(re.sub(r"[\s€]", "", typed)) if isinstance(typed, str) else None
    if match is None:
        raise PydanticCustomError("amount_format", "An amount in euros, such as 23,50")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


class Submission(BaseModel):
    """The fields beside the file. `amount`: euros as people write them, for forms without a script."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    kind: Literal["invoice", "quote", "prescription", "certificate", "other"]
    beneficiary_rank: Annotated[int, Field(ge=1, le=99)]
    amount_cents: Annotated[int, Field(ge=0, le=MAX_CENTS)] | None = None
    amount: Annotated[int, BeforeValidator(_cents), Field(le=MAX_CENTS)] | None = None
    care_date: Annotated[dt.date, Field(ge=dt.date(1990, 1, 1), le=dt.date(2100, 1, 1))] | None = None
    comment: Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")] | None = None
    claim_id: Id | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """From a form, where an empty field says nothing. Raises `Invalid`, field by field."""
        try:
            return cls.model_validate({name: text.strip() for name, text in fields.items() if text.strip()})
        except ValidationError as error:
            raise Invalid(
                errors=[
                    FieldError(str(e["loc"][0]), e["type"], e["msg"])
                    for e in error.errors(include_input=False, include_url=False)
                ]
            ) from None

    @property
    def cents(self) -> int | None:
        """The amount, however it was given."""
        return self.amount if self.amount_cents is None else self.amount_cents


class BeneficiaryOut(BaseModel):
    """A person of the contract; no first name until contract management has announced it."""

    rank: int
    first_name: str | None

    @classmethod
    def of(cls, person: Person) -> Self:
        """As they are kept."""
        return cls(rank=person.rank, first_name=person.first_name)


class DocumentItem(BaseModel):
    """A document in the list. `size` in bytes; `has_content`: whether it can be downloaded."""

    document_id: str
    kind: str
    status: DocumentStatus
    title: str | None
    received_at: dt.datetime
    beneficiary: BeneficiaryOut | None
    file_name: str
    media_type: str | None
    size: int | None
    has_content: bool
    amount_cents: int | None
    reason: str | None
    reason_code: str | None

    @classmethod
    def fields_of(cls, document: Document, member: Member | None) -> dict[str, Any]:
        """What list and detail have in common."""
        last, file, rank = rules.history(document)[-1], document.file, document.beneficiary_rank
        names = member.first_names() if member else {}
        return {
            "document_id": document.document_id,
            "kind": document.kind,
            "status": last.status,
            "title": document.title,
            "received_at": document.received_at,
            "beneficiary": None if rank is None else BeneficiaryOut(rank=rank, first_name=names.get(rank)),
            "file_name": document.file_name,
            "media_type": file.media_type if file else None,
            "size": file.size if file else None,
            "has_content": file is not None,
            "amount_cents": document.amount_cents,
            "reason": last.reason,
            "reason_code": last.reason_code,
        }

    @classmethod
    def of(cls, document: Document, member: Member | None) -> Self:
        """As it stands."""
        return cls(**cls.fields_of(document, member))


class StepOut(BaseModel):
    """One entry of the status history."""

    status: DocumentStatus
    at: dt.datetime

    @classmethod
    def of(cls, step: Step) -> Self:
        """As it is kept."""
        return cls(status=step.status, at=step.at)


class DocumentDetail(DocumentItem):
    """One document with its history, oldest first."""

    care_date: dt.date | None
    comment: str | None
    claim_id: str | None
    history: list[StepOut]

    @classmethod
    def of(cls, document: Document, member: Member | None) -> Self:
        """As it stands."""
        return cls(
            **cls.fields_of(document, member),
            care_date=document.care_date,
            comment=document.comment,
            claim_id=rules.claim_id(document),
            history=[StepOut.of(step) for step in rules.history(document)],
        )


class DocumentPage(BaseModel):
    """Newest first. `beneficiaries`: whom a document may be sent for."""

    items: list[DocumentItem]
    next_cursor: str | None
    beneficiaries: list[BeneficiaryOut]
