"""The one row that says whether the claims are being rebuilt and how far that is; operators write and read it too.

asked → walking → comparing → swapping → done
  └────────┴─────────┴→ discarding → refused (something would be lost) | cancelled
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from shared.ids import new_id
from shared.mongo import Collection, Database, Document

REBUILDS: Final = "rebuilds"
THE_ROW: Final[Document] = {"_id": "claims"}
SHOWN: Final = 20
"""Losses that are named; all are counted."""

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {REBUILDS: []}


class State(StrEnum):
    """Where a rebuild stands."""

    ASKED = "asked"
    WALKING = "walking"
    COMPARING = "comparing"
    SWAPPING = "swapping"
    DISCARDING = "discarding"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


ENDED: Final = (State.DONE, State.REFUSED, State.CANCELLED)
TWOFOLD: Final = (State.WALKING, State.COMPARING)
"""While it stands so, arrivals go into both collections."""
STOPPABLE: Final = (State.ASKED, *TWOFOLD)


@dataclass(frozen=True, slots=True)
class Loss:
    """An event whose effect the new claims lack: its id, and why (a stable code and fields, no value)."""

    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The row. `target`: the collection that is filled; `after`: the key of the last claim looked at.

    The claims are walked to the key `until`, the last when arrivals began to go into both; None: that is not yet so.
    `replayed` of `total` claims were made anew, `compared` of them looked at; `lost` counts `losses`, the first are
    named.
    """

    target: str
    state: State
    accept_losses: bool
    cancelled: bool
    after: str
    until: str | None
    total: int
    replayed: int
    compared: int
    lost: int
    losses: tuple[Loss, ...]

    @property
    def ended(self) -> bool:
        """Nothing more happens with it."""
        return self.state in ENDED


def rebuild_of(row: Document) -> Rebuild:
    """The rebuild of its row."""
    return Rebuild(
        target=row["target"],
        state=State(row["state"]),
        accept_losses=row["accept_losses"],
        cancelled=row["cancelled"],
        after=row["after"],
        until=row["until"],
        total=row["total"],
        replayed=row["replayed"],
        compared=row["compared"],
        lost=row["lost"],
        losses=tuple(Loss(one["event"], one["reason"]) for one in row["losses"]),
    )


async def find(db: Database, session: Any = None) -> Rebuild | None:
    """The rebuild under way, or the last one."""
    row = await db[REBUILDS].find_one(THE_ROW, session=session)
    return rebuild_of(row) if row else None


# The operators' side: `find`, `insert` and `update` in the collection


async def ask(db: Database, *, accept_losses: bool) -> bool:
    """Ask for a rebuild; False if one is under way, which goes on as it was asked for."""
    row: Document = {
        # Sorts by the time it was asked for: what is older was left behind.
        "target": f"claims_{new_id().replace('-', '')}",
        "state": State.ASKED,
        "accept_losses": accept_losses,
        "cancelled": False,
        "asked_at": datetime.now(UTC),
        "after": "",
        "until": None,
        **dict.fromkeys(("total", "replayed", "compared", "lost"), 0),
        "losses": [],
    }
    try:
        await _rows(db).update_one({**THE_ROW, "state": {"$in": ENDED}}, {"$set": row}, upsert=True)
    except DuplicateKeyError:
        return False
    return True


async def cancel(db: Database) -> bool:
    """Ask for its end without a swap; False if none is under way that can still be stopped."""
    stoppable = {**THE_ROW, "state": {"$in": STOPPABLE}}
    return bool((await _rows(db).update_one(stoppable, {"$set": {"cancelled": True}})).matched_count)


def _rows(db: Database) -> Collection:
    return db[REBUILDS]
