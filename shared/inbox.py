"""Which events were applied already: one row an event, `_id` = source and id, written with the event's effect."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.events.base import Event, EventData
from shared.events.catalogue import CATALOGUE
from shared.events.record import InvalidRecord, parse_data
from shared.mongo import Document, Transaction, WriteConflict

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


async def enter(tx: Transaction, events: Mapping[str, Event[EventData]], *, as_log: bool) -> set[str]:
    """Insert a row for each new event and return the keys of the new ones.

    `as_log` keeps the event's data beside its key (claims' inbox is the log of a member's claim events).
    """
    inbox = tx.db[COLLECTION]
    known = {row["_id"] async for row in inbox.find({"_id": {"$in": list(events)}}, {"_id": 1}, session=tx.session)}
    new = events.keys() - known
    rows = [_row(key, event, as_log) for key, event in events.items() if key in new]
    if rows:
        try:
            await inbox.insert_many(rows, ordered=False, session=tx.session)
        except (DuplicateKeyError, BulkWriteError) as error:  # another replica committed it after our snapshot
            if isinstance(error, BulkWriteError) and not _only_duplicates(error):
                raise
            raise WriteConflict from error
    return new


def _only_duplicates(error: BulkWriteError) -> bool:
    details: Mapping[str, Any] = error.details or {}
    return {e.get("code") for e in details.get("writeErrors", [])} == {11000}


def _row(key: str, event: Event[EventData], as_log: bool) -> Document:
    if not as_log:
        return {"_id": key, "at": datetime.now(UTC)}
    return {
        "_id": key,
        "logged_at": datetime.now(UTC),
        "member_number": event.data.member_number,
        "type": event.type,
        "time": event.time,
        "data": event.data.model_dump(mode="json"),
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
