"""One event written as JSON, much like CloudEvents' structured mode:

    {"type": "ClaimPaid", "data": {…}}    and, if wanted, "id", "time", "source", "subject", "traceparent"

It is checked by the same code that reads records from Kafka.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn

from shared import clock, ids
from shared.events import CATALOGUE
from shared.events.base import Event, EventData
from shared.events.record import Fault, InvalidRecord, Record, parse

TOPICS: Final = ("membership.v1", "claims.v1", "casework.v1")
"""What internal systems publish; the services publish their own."""

_HEADERS: Final = {
    "specversion": "ce_specversion",
    "id": "ce_id",
    "source": "ce_source",
    "type": "ce_type",
    "time": "ce_time",
    "subject": "ce_subject",
    "datacontenttype": "content-type",
    "traceparent": "traceparent",
}
_SENTENCES: Final = {
    "time_in_future": "time: more than 24 hours ahead",
    "json_name_repeated": "a name occurs twice in the same object",
    "json_invalid": "data: holds text that is not Unicode",
}


class InvalidEvent(Exception):
    """`lines`: one a fault, as `data.lines.0.care_date: what is wrong`."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("; ".join(lines))


def contract_of(name: str) -> type[EventData]:
    """The contract of an internal system's event. Raises InvalidEvent."""
    found = [CATALOGUE[topic][name] for topic in TOPICS if name in CATALOGUE[topic]]
    if not found:
        _refuse(f"type: should be one of {', '.join(name for topic in TOPICS for name in CATALOGUE[topic])}")
    return found[0]


def read(
    text: bytes, *, now: datetime, default_id: str | None = None, default_time: datetime | None = None
) -> Event[EventData]:
    """The event; without an id and a time of its own it gets a new id and the present instant unless given.

    Raises InvalidEvent.
    """
    written = _object(text)
    unknown = sorted(set(written) - {*_HEADERS, "data"})
    if unknown:
        _refuse(*(f"{name}: unknown attribute; known are {', '.join(_HEADERS)} and data" for name in unknown))
    name, data = written.get("type"), written.get("data")
    if not isinstance(name, str) or not isinstance(data, dict):
        _refuse('should be {"type": "…", "data": {…}}, see: portal example ClaimPaid')
    contract = contract_of(name)
    record = Record(
        topic=contract.topic,
        partition=0,
        offset=0,
        key=str(data.get("member_number")).encode(errors="surrogatepass"),
        value=json.dumps(data).encode(),
        headers=_headers(written, contract, default_id or ids.new_id(), default_time or now),
    )
    try:
        return parse(record, now=now)
    except InvalidRecord as error:
        _refuse(*([_sentence(fault) for fault in error.faults] or [_SENTENCES.get(error.code, error.code)]))


def _object(text: bytes) -> dict[str, Any]:
    try:
        written = json.loads(text, object_pairs_hook=_names_differ, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(f"not JSON: {error.msg}, line {error.lineno} column {error.colno}")
    except UnicodeDecodeError:
        _refuse("not JSON: not UTF-8")
    except (ValueError, RecursionError):
        _refuse("not JSON: a number too long or nested too deep")
    if not isinstance(written, dict):
        _refuse("should be a JSON object")
    return written


def _names_differ(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        _refuse(_SENTENCES["json_name_repeated"])
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    _refuse(f"not JSON: {name}")


def _headers(
    written: Mapping[str, Any], contract: type[EventData], default_id: str, default_time: datetime
) -> tuple[tuple[str, bytes | None], ...]:
    given = {name: value for name, value in written.items() if name in _HEADERS}
    wrong = [name for name, value in given.items() if not isinstance(value, str)]
    if wrong:
        _refuse(*(f"{name}: should be text" for name in wrong))
    deduced = {
        "specversion": "1.0",
        "id": default_id,
        "source": contract.source,
        "time": clock.rfc3339(default_time),
        "datacontenttype": "application/json",
    }
    return tuple((_HEADERS[name], text.encode(errors="surrogatepass")) for name, text in {**deduced, **given}.items())


def _sentence(fault: Fault) -> str:
    for name, header in _HEADERS.items():
        if fault.path == header:
            return f"{name}: {fault.message}"
    return f"{'.'.join(filter(None, ['data', fault.path]))}: {fault.message}"


def _refuse(*lines: str) -> NoReturn:
    raise InvalidEvent(lines)
