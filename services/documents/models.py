"""What documents stores. Everything that tells about a person is sealed whole at rest (`store.py`)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Order = tuple[datetime, str]
"""(`ce_time`, `ce_id`) of the event that set something; the larger wins."""

Bucket = Literal["documents-intake", "documents-accepted"]
INTAKE: Bucket = "documents-intake"
ACCEPTED: Bucket = "documents-accepted"
DELIVERIES = "deliveries"


class Stored(BaseModel):
    """Immutable, and silent in logs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        """Nothing: file names and comments must not reach a log by way of a repr."""
        return []


class DocumentStatus(StrEnum):
    """Sent by the member: received → submitted → accepted | refused; refused also straight by intake.

    Sent by the insurer: delivered.
    """

    RECEIVED = "received"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DELIVERED = "delivered"


class Step(Stored):
    """A status and when it began; `reason_code` where intake refused, `reason` where the centre did."""

    status: DocumentStatus
    at: datetime
    reason_code: str | None = None
    reason: str | None = None


class Decision(Stored):
    """What the management centre said; of several the one with the largest order stands."""

    order: Order
    outcome: Literal["accepted", "refused"]
    reason: str | None = None
    claim_id: str | None = None


class File(Stored):
    """The bytes and where they are. `name` is a safe file name. `size` in bytes."""

    name: str
    media_type: str
    size: int
    sha256: str
    bucket: Bucket
    object: str


class Document(Stored):
    """One document of a member. `steps` is how far we are with it, `decisions` what the centre said since.

    `file` is None once intake refused it: nothing of it is kept. `delivery` is the event that brought a delivered one.
    """

    member_number: str
    document_id: str
    kind: str
    received_at: datetime
    steps: tuple[Step, ...]
    file_name: str
    file: File | None
    title: str | None = None
    beneficiary_rank: int | None = None
    amount_cents: int | None = None
    care_date: date | None = None
    comment: str | None = None
    claim_id: str | None = None
    decisions: tuple[Decision, ...] = ()
    delivery: Order | None = None

    @property
    def stage(self) -> DocumentStatus:
        """How far our own part has come."""
        return self.steps[-1].status


class Person(Stored):
    """A beneficiary: as much as a form needs to ask whom a document is for."""

    rank: int
    first_name: str


class Member(Stored):
    """The beneficiaries as contract management last announced them."""

    order: Order
    beneficiaries: tuple[Person, ...]

    def first_names(self) -> dict[int, str]:
        """First name of each beneficiary, by rank."""
        return {person.rank: person.first_name for person in self.beneficiaries}
