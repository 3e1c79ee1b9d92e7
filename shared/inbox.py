"""Which events were applied already: one row an event, `_id` = source and id, written with the event's effect."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from shared.events.base import Event, EventData
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
