"""Every query and index of notifications: members and their letters (`members`), threads of messages (`messages`)."""

from collections.abc import Mapping, Sequence

from pymongo import IndexModel

from services.notifications.store import members, messages
from services.notifications.store.members import Store
from services.notifications.store.messages import THREADS, MessageStore, Position

__all__ = ["THREADS", "MessageStore", "Position", "Store", "collections"]


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collections that are only ours, and their indexes."""
    return {**members.COLLECTIONS, **messages.COLLECTIONS}
