"""Chance that repeats itself: the same seed, the same draws, on every machine."""

from datetime import UTC, datetime
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

ANCHOR: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
"""The simulated present where no other is given: dates hang on it, so that a repetition is identical."""


def chance(*seed: object) -> Random:
    """A source of draws for this seed; not for secrets."""
    return Random(":".join(map(str, seed)))  # noqa: S311 - the same claims for the same seed: no secret


def drawn_id(rng: Random) -> str:
    """An event id."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def stable_id(*parts: object) -> str:
    """The id of the one event that these parts describe."""
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))
