"""What every event has: its data (a frozen contract) and its envelope (CloudEvents 1.0)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from shared import clock, ids
from shared.events.fields import MemberNumber


class Contract(BaseModel):
    """A part of an event's data: immutable, strict about types, blind to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Nothing: names, addresses and NIRs must not reach a log by way of a repr."""
        return ()


class EventData(Contract):
    """The data of one event. The class's name is its `ce_type`; one base class per publisher sets the rest."""

    topic: ClassVar[str]
    source: ClassVar[str]

    member_number: MemberNumber

    def to_json(self) -> bytes:
        """Compact JSON; fields without a value are left out."""
        return self.model_dump_json(exclude_none=True).encode()


D_co = TypeVar("D_co", bound=EventData, covariant=True)
D = TypeVar("D", bound=EventData)


@dataclass(frozen=True, slots=True)
class Event(Generic[D_co]):
    """One event: the CloudEvents attributes we use, and the data; `json` is the data of a received one as it came."""

    id: str
    source: str
    type: str
    time: datetime
    data: D_co
    subject: str | None = None
    traceparent: str | None = None
    json: bytes | None = field(default=None, repr=False, compare=False)

    @staticmethod
    def of(
        data: D,
        *,
        id: str | None = None,  # noqa: A002 - the attribute's name in CloudEvents
        time: datetime | None = None,
        subject: str | None = None,
        traceparent: str | None = None,
    ) -> "Event[D]":
        """The event that announces `data`: a new UUIDv7 and the present instant unless given."""
        return Event(
            id=id or ids.new_id(),
            source=data.source,
            type=type(data).__name__,
            time=clock.to_ms(time) if time else clock.now(),
            data=data,
            subject=subject,
            traceparent=traceparent,
        )

    @property
    def order(self) -> tuple[datetime, str]:
        """The pair that decides which write of a field wins: the larger."""
        return (self.time, self.id)
