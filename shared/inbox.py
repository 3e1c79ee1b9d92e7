"""Which events were applied already: one row an event, `_id` = source and id, written with the event's effect."""

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from shared.events.base import Event, EventData
from shared.mongo import Transaction

COLLECTION = "inbox"


def collections(days: int) -> Mapping[str, Sequence[IndexModel]]:
    """The collection; rows go after `days`."""
    return {COLLECTION: [IndexModel([("at", ASCENDING)], expireAfterSeconds=days * 86_400)]}


def event_key(event: Event[EventData]) -> str:
    """The inbox key: a redelivery keeps `ce_source` and `ce_id`."""
    return f"{event.source}|{event.id}"


async def enter(tx: Transaction, keys: Set[str], *, look_first: bool) -> Set[str]:
    """Insert a row for each new event, by its key, and return the keys of the new ones.

    Without `look_first` all are taken for new, which they nearly always are; raises `WriteConflict` if one is not.
    """
    inbox = tx.db[COLLECTION]
    known: set[str] = set()
    if look_first:
        rows = await inbox.find({"_id": {"$in": list(keys)}}, {"_id": 1}, session=tx.session).to_list(None)
        known = {row["_id"] for row in rows}
    new = keys - known
    now = datetime.now(UTC)
    await tx.insert_new(COLLECTION, [{"_id": key, "at": now} for key in keys if key in new])
    return new
