"""What notifications stores: members and the words of messages (sealed at rest), letters. Jobs are shared's."""

from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

V = TypeVar("V")

Order = tuple[datetime, str]
"""(`ce_time`, `ce_id`) of the event that set something; the larger wins."""


class Stored(BaseModel):
    """Immutable, and silent in logs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        """Nothing: names and addresses must not reach a log by way of a repr."""
        return []


class Fact(Stored, Generic[V]):
    """A value and the event that set it. A removed value is None, so that an older event cannot bring it back."""

    value: V
    order: Order


class Address(Stored):
    """A postal address as contract management gave it."""

    lines: tuple[str, ...]
    postal_code: str
    city: str
    country: str


class Identity(Stored):
    """What auth said last: the contact address (None: none) and whether the member activated it."""

    email: str | None
    activated: bool


class Consents(Stored):
    """What the e-mail address may be used for."""

    statements: bool
    management_information: bool


class Member(Stored):
    """What notifications knows of a member. Never the NIR."""

    title: Fact[str | None] | None = None
    first_name: Fact[str | None] | None = None
    last_name: Fact[str | None] | None = None
    postal_address: Fact[Address | None] | None = None
    email: Fact[str | None] | None = None
    """The address given to contract management; `identity` may hold a better one."""
    identity: Fact[Identity] | None = None
    consents: Fact[Consents] | None = None
    chosen_language: Fact[str] | None = None
    """What the member chose here; it wins over `languages`."""
    languages: tuple[Fact[str | None], ...] = ()
    """What contract management said, oldest first, as far as it may still matter."""
    owned_since: Order | None = None
    """The first `IdentifierChanged`: from then on contract management decides the language no more."""


LetterKind = Literal["welcome", "temporary_password"]


class LetterState(StrEnum):
    """waiting (not rendered yet) → ready (in the bucket, announced) → withdrawn (being deleted)."""

    WAITING = "waiting"
    READY = "ready"
    WITHDRAWN = "withdrawn"


class Letter(Stored):
    """One letter, from the event that asked for it until its object is deleted. Holds no password."""

    letter_id: str
    member_number: str
    kind: LetterKind
    state: LetterState
    issued_at: datetime
    delete_at: datetime


class Sender(StrEnum):
    """Who wrote a message."""

    MEMBER = "member"
    CENTRE = "centre"


class Message(Stored):
    """One message of a thread. `message_id`: ours for the member's, the centre's own for its answers."""

    message_id: str
    sender: Sender
    at: datetime
    text: str
    document_ids: tuple[str, ...] = ()


class Topic(Stored):
    """What a thread is about, as the member said."""

    category: str
    subject: str


class Thread(Stored):
    """What member and management centre write to each other about one thing."""

    member_number: str
    thread_id: str
    topic: Topic
    active_at: datetime
    last_sender: Sender
    last_message_id: str
    messages: int
    answers: int = 0
    answers_read: int = 0
    closed: bool = False
    """The centre has said its last word."""

    @property
    def unread(self) -> int:
        """Answers that the member has not opened."""
        return self.answers - self.answers_read
