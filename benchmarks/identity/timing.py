"""Does the time of an answer tell whether an identifier exists? Known and unknown ones, and a rank test."""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from benchmarks.identity.people import Answer, Api, Person

TRIES = 20
"""With each identifier: fewer than the 25 a day after which nothing is hashed any more."""
IDENTIFIERS = 100
FAILURES_THAT_BLOCK = 2
_ONE_PLACE = "203.0.113.7"


@dataclass
class Timing:
    """ms of the refusals of known and of unknown identifiers."""

    known_ms: list[float] = field(default_factory=list)
    unknown_ms: list[float] = field(default_factory=list)

    def note(self, unknown: bool, answer: Answer, status: int) -> None:
        """One answer, which must have had that status."""
        if answer.status != status:
            raise RuntimeError(f"answered {answer.status}, not {status}")
        (self.unknown_ms if unknown else self.known_ms).append(answer.ms)

    @property
    def difference_us(self) -> float:
        """Median of the known less median of the unknown."""
        return (statistics.median(self.known_ms) - statistics.median(self.unknown_ms)) * 1000

    @property
    def p_value(self) -> float:
        """Of the rank test: how often chance alone orders them as unevenly as this."""
        return rank_test(self.known_ms, self.unknown_ms)


async def measure(api: Api, people: Sequence[Person], seed: int) -> tuple[Timing, Timing]:
    """(wrong passwords, refusals of the blocked), one after the other in random order.

    The wrong ones come each from another network, so that none is blocked; the refused all from one.
    """
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    known = [person.number for person in people[:IDENTIFIERS]]
    unknown: set[str] = set()
    while len(unknown) < len(known):
        unknown |= {f"{rng.randrange(10_000_000, 100_000_000)}"} - set(known)
    numbers = [*known, *unknown]
    wrong, refused = Timing(), Timing()
    for number in _shuffled(numbers, rng):
        wrong.note(number in unknown, await api.fail(number), 401)
    for number in numbers * FAILURES_THAT_BLOCK:
        await api.fail(number, _ONE_PLACE)
    for number in _shuffled(numbers, rng):
        refused.note(number in unknown, await api.fail(number, _ONE_PLACE), 429)
    return wrong, refused


def _shuffled(numbers: Sequence[str], rng: random.Random) -> list[str]:
    order = [*numbers] * TRIES
    rng.shuffle(order)
    return order


def rank_test(some: Sequence[float], others: Sequence[float]) -> float:
    """Two-sided p-value of the Mann-Whitney U test, by the normal approximation with ties and continuity corrected.

    Mann and Whitney, Annals of Mathematical Statistics 18 (1947); good from some twenty values a side on.
    """
    together = sorted([(value, True) for value in some] + [(value, False) for value in others])
    ranks, ties, place = 0.0, 0, 0
    for _, equal in groupby(together, key=lambda pair: pair[0]):
        group = [mine for _, mine in equal]
        ranks += sum(group) * (place + (len(group) + 1) / 2)
        ties += len(group) ** 3 - len(group)
        place += len(group)
    n, m = len(some), len(others)
    u = ranks - n * (n + 1) / 2
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    if not variance:
        return 1.0
    distance = max(0.0, abs(u - n * m / 2) - 0.5)
    return math.erfc(distance / math.sqrt(2 * variance))
