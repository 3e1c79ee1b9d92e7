"""Kafka record ↔ event: CloudEvents 1.0, binary mode (the attributes are headers, the value is the JSON data).

A record that is not an event raises InvalidRecord, whose reason names codes and fields and never repeats a value, so
that it may be logged and announced.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple, NoReturn, get_args

from jiter import from_json
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared import clock
from shared.events.base import Contract, Event, EventData
from shared.events.catalogue import CATALOGUE
from shared.events.fields import RFC_3339

MAX_AHEAD: Final = timedelta(hours=24)
_MAX_FAULTS: Final = 10
_REQUIRED: Final = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")
_READ: Final = frozenset((*_REQUIRED, "ce_subject"))
_MAX_ATTRIBUTE: Final = 256
_ATTRIBUTE = re.compile(rf"[^\x00-\x1f\x7f]{{1,{_MAX_ATTRIBUTE}}}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Record(NamedTuple):
    """A record as Kafka delivered it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A record to publish. `value` is None only in announcements of dead letters."""

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: its path (`lines.0.care_date`), a stable code, a sentence; no value."""

    path: str
    code: str
    message: str


class InvalidRecord(Exception):
    """Not an event. `code` is one of few (a metric's label), `reason` adds the fields, bounded in length."""

    def __init__(self, code: str, faults: Iterable[Fault] = ()) -> None:
        self.code = code
        self.faults = tuple(faults)
        shown = ", ".join(f"{fault.path} {fault.code}".strip() for fault in self.faults[:_MAX_FAULTS])
        self.reason = f"{code}: {shown}" if shown else code
        super().__init__(self.reason)


def parse(record: Record, *, now: datetime) -> Event[EventData]:
    """The event in a record. Raises InvalidRecord. Nothing of the record is converted or guessed."""
    headers = _headers(record.headers)
    contract = CATALOGUE.get(record.topic, {}).get(headers["ce_type"])
    if contract is None:
        raise InvalidRecord("unknown_type")
    if headers["ce_source"] != contract.source:
        _refuse_header("ce_source", "unexpected")
    time = _time(headers["ce_time"], now)
    if record.value is None:
        raise InvalidRecord("value_absent")
    data = parse_data(contract, record.value)
    if record.key != data.member_number.encode("ascii"):
        raise InvalidRecord("key_mismatch")
    return Event(
        id=headers["ce_id"],
        source=headers["ce_source"],
        type=headers["ce_type"],
        time=time,
        data=data,
        subject=headers.get("ce_subject"),
        traceparent=_traceparent(record.headers),
        json=record.value,
    )


def parse_data(contract: type[EventData], value: bytes) -> EventData:
    """The data of an event of a known type. Raises InvalidRecord (`json_invalid`, `data_invalid`)."""
    try:
        data = contract.model_validate_json(value)
        if value.count(b":") != _names_read(data):
            _refuse_ambiguous_json(value)
    except ValidationError as error:
        raise _invalid(error) from None
    return data


def to_message(event: Event[EventData]) -> Message:
    """The record that carries an event."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_source": event.source,
        "ce_type": event.type,
        "ce_time": clock.rfc3339(event.time),
        "ce_subject": event.subject,
        "content-type": "application/json",
        "traceparent": event.traceparent,
    }
    return Message(
        topic=event.data.topic,
        key=event.data.member_number.encode("ascii"),
        value=event.data.to_json(),
        headers=tuple((name, text.encode()) for name, text in headers.items() if text is not None),
    )


def _headers(raw: tuple[tuple[str, bytes | None], ...]) -> Mapping[str, str]:
    """The headers we read, checked; of the others only that they are text, as CloudEvents' Kafka binding has it."""
    headers: dict[str, str] = {}
    for name, value in raw:
        if name not in _READ:
            _text("other", value)
            continue
        if name in headers:
            _refuse_header(name, "repeated")
        headers[name] = _attribute(name, value)
    for name in _REQUIRED:
        if name not in headers:
            _refuse_header(name, "missing")
    if headers["ce_specversion"] != "1.0":
        _refuse_header("ce_specversion", "unexpected")
    if headers["content-type"].partition(";")[0].strip().lower() != "application/json":
        _refuse_header("content-type", "unexpected")
    return headers


def _attribute(name: str, value: bytes | None) -> str:
    text = _text(name, value)
    # Nearly all are plain, which is seen sooner than searched for.
    plain = text.isascii() and text.isprintable() and 0 < len(text) <= _MAX_ATTRIBUTE
    if not plain and not _ATTRIBUTE.fullmatch(text):
        _refuse_header(name, "malformed")
    return text


_HEADER_FAULTS: Final = {
    "missing": "Required",
    "null": "Should not be null",
    "not_utf8": "Should be UTF-8",
    "malformed": "Malformed",
    "repeated": "Should be there once",
    "unexpected": "Not the value expected here",
}


def _text(name: str, value: bytes | None) -> str:
    if value is None:
        _refuse_header(name, "null")
    try:
        return value.decode()
    except UnicodeDecodeError:
        _refuse_header(name, "not_utf8")


def _refuse_header(name: str, code: str) -> NoReturn:
    raise InvalidRecord("header_invalid", [Fault(name, code, _HEADER_FAULTS[code])])


def _time(text: str, now: datetime) -> datetime:
    if not RFC_3339.fullmatch(text):
        _refuse_header("ce_time", "malformed")
    try:
        time = clock.to_ms(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        _refuse_header("ce_time", "malformed")
    if time > now + MAX_AHEAD:
        raise InvalidRecord("time_in_future")
    return time


def _traceparent(raw: tuple[tuple[str, bytes | None], ...]) -> str | None:
    """W3C Trace Context: a malformed traceparent is ignored, it never harms the event."""
    for name, value in raw:
        if name == "traceparent" and value is not None:
            text = value.decode("ascii", "replace")
            return text if _TRACEPARENT.fullmatch(text) else None
    return None


def _names_read(part: Contract) -> int:
    """How many names of a JSON object became fields, in it and in the contracts in it.

    A name brings a colon: a JSON text with no more colons than names that were read has none twice and none unknown. It
    need not be read a second time, which takes several times as long.
    """
    count = len(part.model_fields_set)
    for name in _inner(type(part)):
        inner = getattr(part, name)
        for one in inner if type(inner) is tuple else (inner,):
            count += _names_read(one) if one is not None else 0
    return count


@cache
def _inner(contract: type[Contract]) -> tuple[str, ...]:
    """The fields that hold contracts, one or a tuple of them."""
    inner = []
    for name, field in contract.model_fields.items():
        kinds = get_args(field.annotation) or (field.annotation,)
        if any(isinstance(kind, type) and issubclass(kind, Contract) for kind in kinds):
            inner.append(name)
    return tuple(inner)


def _refuse_ambiguous_json(value: bytes) -> None:
    """RFC 8259 leaves repeated names undefined and knows no NaN; two readers might see two different claims."""
    try:
        from_json(value, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError as error:
        repeated = str(error).startswith("Detected duplicate key")
        raise InvalidRecord("json_name_repeated" if repeated else "json_invalid") from None


def _invalid(error: ValidationError) -> InvalidRecord:
    details = error.errors(include_url=False, include_input=False)
    if any(detail["type"] == "json_invalid" for detail in details):
        return InvalidRecord("json_invalid")
    # pydantic also calls a list too short once its only item is refused: the item's fault is the one to show
    wholes = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    return InvalidRecord(
        "data_invalid",
        [_fault(detail) for detail in details if detail["type"] != "too_short" or detail["loc"] not in wholes],
    )


def _fault(detail: ErrorDetails) -> Fault:
    named = detail.get("ctx", {}).get("field")
    parts = [*detail["loc"], *([named] if named else [])]
    return Fault(_path(parts), detail["type"], detail["msg"])


def _path(parts: list[str | int]) -> str:
    """Dotted; a part that is no field's name is a key of the sender's own making, and shown as `*`."""
    known = _field_names()
    return ".".join(str(part) if isinstance(part, int) or part in known else "*" for part in parts)


@cache
def _field_names() -> frozenset[str]:
    """The names of all fields of all contracts."""
    found: set[str] = set()
    waiting: list[type[Contract]] = [Contract]
    while waiting:
        contract = waiting.pop()
        found.update(contract.model_fields)
        waiting.extend(contract.__subclasses__())
    return frozenset(found)
