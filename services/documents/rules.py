"""The pure rules of documents: names of files, statuses, which decision stands, whom a document may be for."""

import unicodedata
from typing import Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from services.documents.filetypes import EXTENSIONS
from services.documents.models import Decision, Document, DocumentStatus, File, Member, Person, Step
from shared.errors import FieldError, Invalid, Unavailable
from shared.events.base import Event
from shared.events.casework import DocumentProcessed
from shared.events.documents import DocumentSubmitted
from shared.events.membership import Beneficiary

NAME_CHARACTERS: Final = 120
MAX_DECISIONS: Final = 20
_NOT_IN_NAMES: Final = frozenset('\\/:*?"<>|')
_PLAIN: Final = "!#$&+-.^_`|~"  # RFC 8187, attr-char, besides letters and digits


# Names


def safe_name(said: str, media_type: str) -> str:
    """A file name for people: no path, nothing invisible, an extension that tells the truth."""
    last = said.replace("\\", "/").rpartition("/")[2]
    visible = "".join(c if c not in _NOT_IN_NAMES else " " for c in last if unicodedata.category(c)[0] != "C")
    stem = " ".join(unicodedata.normalize("NFC", visible).split()).strip(". ")
    extension = EXTENSIONS.get(media_type, "")
    ending = stem.rpartition(".")[2].lower()
    if ending == extension or (ending, extension) == ("jpeg", "jpg"):
        stem = stem.rpartition(".")[0].rstrip(". ")
    stem = stem[:NAME_CHARACTERS].strip() or "document"
    return f"{stem}.{extension}" if extension else stem


def attachment(name: str) -> str:
    """The Content-Disposition of a download (RFC 6266, 8187): plain ASCII for old clients, then the name itself."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(c for c in ascii_name if c.isprintable() and c not in '"\\%')
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_PLAIN)}"


# Where a document stands


def status(document: Document) -> DocumentStatus:
    """What the member is told."""
    return DocumentStatus(document.decisions[-1].outcome) if document.decisions else document.stage


def history(document: Document) -> tuple[Step, ...]:
    """Every step, in order."""
    decided = (
        Step(status=DocumentStatus(decision.outcome), at=decision.order[0], reason=decision.reason)
        for decision in document.decisions
    )
    return (*document.steps, *decided)


def decided(document: Document, event: Event[DocumentProcessed]) -> Document:
    """`document` with what the centre decided. Any order, with any repetition, ends in the same state."""
    data = event.data
    new = Decision(order=event.order, outcome=data.outcome, reason=data.reason, claim_id=data.claim_id)
    by_order = {decision.order: decision for decision in (*document.decisions, new)}
    kept = tuple(by_order[order] for order in sorted(by_order))[-MAX_DECISIONS:]
    return document.model_copy(update={"decisions": kept})


def claim_id(document: Document) -> str | None:
    """The claim that the document belongs to: as the centre said last, else as the member did."""
    return (document.decisions[-1].claim_id if document.decisions else None) or document.claim_id


def reached(document: Document, step: Step, file: File | None) -> Document:
    """`document` one step further, its bytes where `file` says."""
    return document.model_copy(update={"steps": (*document.steps, step), "file": file})


def submitted(document: Document, file: File, original_sha256: str) -> DocumentSubmitted:
    """What casework is told."""
    return DocumentSubmitted.model_validate(
        {
            "member_number": document.member_number,
            "document_id": document.document_id,
            "kind": document.kind,
            "beneficiary_rank": document.beneficiary_rank,
            "file_name": file.name,
            "media_type": file.media_type,
            "size": file.size,
            "sha256": file.sha256,
            "original_sha256": original_sha256,
            "bucket": file.bucket,
            "object": file.object,
            "amount_cents": document.amount_cents,
            "care_date": document.care_date,
            "comment": document.comment,
            "claim_id": document.claim_id,
        }
    )


def delivered_object(source: str, event_id: str) -> str:
    """Where a delivery is kept: each try at one event has the same name, another event another one."""
    return f"delivered/{uuid5(NAMESPACE_URL, f'{source}#{event_id}')}"


# Whom it is for


def people(beneficiaries: tuple[Beneficiary, ...]) -> tuple[Person, ...]:
    """As much of the beneficiaries as documents keeps."""
    return tuple(Person(rank=person.rank, first_name=person.first_name) for person in beneficiaries)


def check_beneficiary(rank: int, member: Member | None) -> None:
    """Raises `Invalid` for a rank that is not on the contract.

    A member who signs in was enrolled; if we have not heard of it yet, we will in a moment. Rank 1 is the member.
    """
    if member is None and rank != 1:
        raise Unavailable
    if member is not None and rank not in member.first_names():
        raise Invalid(errors=[FieldError("beneficiary_rank", "unknown_beneficiary", "Not a beneficiary")])
