"""What the counters refuse on every unknown device, remembered for a moment while somebody hammers an identifier.

Each refusal costs a look at the database. Of two hundred a second, which any stranger can send, members who sign in
elsewhere would feel that. So after a few refusals in a row the next ones are answered from here, for a second, then
the counters are asked again: what they say is in force a second late at most, and only for whoever hammers.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

from services.auth.models import Account
from services.auth.store.attempts import Attempt

IN_A_ROW: Final = 5
REMEMBERED_S: Final = 1.0
MAX_IDENTIFIERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Refusal:
    at: float
    until: float
    in_a_row: int
    devices: Collection[str]
    """The account's known devices, which are not refused with the others; none for an identifier of nobody."""


class Refusals:
    """By the identifier's lookup key, known or not, in this process. `clock`: seconds that only go forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of: OrderedDict[str, _Refusal] = OrderedDict()

    def note(self, attempt: Attempt, account: Account | None) -> None:
        """The counters refused it everywhere."""
        now, before = self._clock(), self._of.pop(attempt.identifier, None)
        in_a_row = before.in_a_row + 1 if before and now - before.at <= REMEMBERED_S else 1
        devices = frozenset(device.token_hash for device in account.devices) if account else frozenset[str]()
        self._of[attempt.identifier] = _Refusal(now, now + (attempt.retry_after_s or 0), in_a_row, devices)
        if len(self._of) > MAX_IDENTIFIERS:
            self._of.popitem(last=False)

    def lately(self, identifier: str, shown: Iterable[str]) -> int | None:
        """Seconds that the block lasts yet, if the counters need not be asked for a device that shows these hashes."""
        known, now = self._of.get(identifier), self._clock()
        if known is None or known.in_a_row < IN_A_ROW or now - known.at > REMEMBERED_S:
            return None
        left_s = ceil(known.until - now)
        return left_s if left_s > 0 and not any(device in known.devices for device in shown) else None
