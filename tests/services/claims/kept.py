"""What claims keeps of the events it was told."""

from collections.abc import Sequence
from typing import Any

from pymongo.database import Database

from services.claims.models import Kept
from services.claims.store import SUPERSEDED
from services.claims.store.kept import facts_kept, superseded_of


def kept_of(db: Database[dict[str, Any]], members: Sequence[str]) -> dict[str, Kept]:
    """By its id, each event of these members' claims: in a claim, or superseded."""
    query = {"member_number": {"$in": list(members)}}
    standing = (event for row in db["claims"].find(query) for event in facts_kept(row).values())
    return {event.id: event for event in [*map(superseded_of, db[SUPERSEDED].find(query)), *standing]}
