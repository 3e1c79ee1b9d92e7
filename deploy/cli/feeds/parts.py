"""What a feed is made of, whichever form it is written in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.events.base import Event, EventData
from shared.events.claims_payment import ClaimPaid, ClaimReversed
from shared.events.fields import Instant

MAX_LINE_BYTES: Final = 1_000_000
"""What Kafka takes as one record by default."""
MAX_AHEAD: Final = timedelta(hours=24)


class InvalidFeed(Exception):
    """The file is no feed: its head cannot be read, or its totals are not those of its lines."""


class Head(BaseModel):
    """The first line: what the file is called, when it was made, and its control totals.

    `amount_cents`: the sum of that field over all `ClaimPaid` and `ClaimReversed` of the file.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    feed: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    made_at: Instant
    events: int = Field(ge=0)
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Written:
    """One event as the file has it: JSON as `portal publish` takes it, or why there is none (`fault`).

    `number`: of its first line, counted from 1.
    """

    number: int
    text: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One event that was checked, or what is wrong with it."""

    number: int
    event: Event[EventData] | None
    faults: tuple[str, ...] = ()


Lines = Iterator[Written]


def head(written: dict[str, Any], *, now: datetime) -> Head:
    """The head. Raises `InvalidFeed`."""
    try:
        found = Head.model_validate(written)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        refuse(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}")
    if found.made_at > now + MAX_AHEAD:
        refuse("made_at: more than 24 hours ahead")
    return found


def refuse(what: str, *, line: int = 1) -> NoReturn:
    """What must be right before any event can be read is wrong."""
    raise InvalidFeed(f"line {line}: {what}")


def amount_cents(event: Event[EventData]) -> int:
    """What an event adds to the control total."""
    return event.data.amount_cents if isinstance(event.data, ClaimPaid | ClaimReversed) else 0


def event_id(head: Head, number: int) -> str:
    """The id of an event that has none of its own: the same each time the file is published, and in the file's order.

    Of two events that say the same of one claim at the same time the one with the larger id stands.
    """
    return f"{head.feed}/{number:09d}"
