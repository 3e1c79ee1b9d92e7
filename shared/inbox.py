"""Which events were applied already: one row an event, `_id` = source and id, written with the event's effect."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from shared.events.base import Event, EventData
from shared.events.catalogue import CATALOGUE
from shared.events.record import InvalidRecord, parse_data
from shared.mongo import Document, Transaction

COLLECTION = "inbox"


def collections(days: int) -> Mapping[str, Sequence[IndexModel]]:
    """The collection; rows go after `days`, but those of a log, which have no `at` and are found by member."""
    return {
        COLLECTION: [
            IndexModel([("at", ASCENDING)], expireAfterSeconds=days * 86_400),
            IndexModel([("member_number", ASCENDING)], sparse=True),
        ]
    }


def event_key(event: Event[EventData]) -> str:
    """The inbox key: a redelivery keeps `ce_source` and `ce_id`."""
    return f"{event.source}|{event.id}"


async def enter(
    tx: Transaction,
    events: Mapping[str, Event[EventData]],
    *,
    look_first: bool,
    log: Mapping[str, bytes] | None = None,
) -> Collection[str]:
    """Insert a row for each new event and return the keys of the new ones.

    Without `look_first` all are taken for new, which they nearly always are; raises `WriteConflict` if one is not.
    `log`: the JSON that each event came as, kept beside its key (claims' inbox is the log of a member's claim events).
    """
    inbox = tx.db[COLLECTION]
    known: set[str] = set()
    if look_first:
        rows = await inbox.find({"_id": {"$in": list(events)}}, {"_id": 1}, session=tx.session).to_list(None)
        known = {row["_id"] for row in rows}
    new = events.keys() - known
    await tx.insert_new(COLLECTION, [_row(key, events[key], log) for key in events if key in new])
    return new


def _row(key: str, event: Event[EventData], log: Mapping[str, bytes] | None) -> Document:
    if log is None:
        return {"_id": key, "at": datetime.now(UTC)}
    return {
        "_id": key,
        "logged_at": datetime.now(UTC),
        "member_number": event.data.member_number,
        "type": event.type,
        "time": event.time,
        "json": log[key].decode(),
    }


# The rows of a log, read again


def log_of(source: str) -> Document:
    """The query of the log's rows from one publisher, in the index of `_id`."""
    return {"_id": {"$gt": f"{source}|", "$lt": f"{source}}}"}}  # } comes after |


def logged(row: Document) -> Event[EventData]:
    """The event of a row of the log, checked against today's contract. Raises InvalidRecord."""
    source, _, event_id = row["_id"].partition("|")
    contract = _CONTRACTS.get((source, row.get("type", "")))
    if contract is None:
        raise InvalidRecord("unknown_type" if "type" in row else "value_absent")
    kept: str | bytes = row["json"] if "json" in row else json.dumps(row["data"])
    data = parse_data(contract, kept.encode() if isinstance(kept, str) else kept)
    return Event(id=event_id, source=source, type=row["type"], time=row["time"], data=data)


_CONTRACTS: Mapping[tuple[str, str], type[EventData]] = {
    (contract.source, name): contract for contracts in CATALOGUE.values() for name, contract in contracts.items()
}
