"""What is refused on every unknown device is remembered for a second while somebody hammers, and no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.auth.models import Account, Device
from services.auth.refusals import IN_A_ROW, MAX_IDENTIFIERS, Refusals
from services.auth.store.attempts import Attempt, Place

KEY = "a" * 64
AT = datetime(2026, 11, 26, tzinfo=UTC)
OWNER = Account(member_number="12345678", devices=[Device(token_hash="mine", known_since=AT, seen_at=AT)])
REFUSED = Attempt(KEY, "1", Place("somewhere", known=False), True, 0, AT, 600, everywhere=True)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(clock: Clock) -> Refusals:
    return Refusals(clock)


def hammer(refusals: Refusals, times: int = IN_A_ROW, account: Account | None = None, key: str = KEY) -> None:
    for _ in range(times):
        refusals.note(replace(REFUSED, identifier=key), account)


@pytest.mark.parametrize("account", [OWNER, None])
def test_a_few_refusals_are_asked_for_and_the_next_ones_remembered(refusals: Refusals, account: Account | None) -> None:
    hammer(refusals, IN_A_ROW - 1, account)
    assert refusals.lately(KEY, []) is None
    hammer(refusals, 1, account)
    assert refusals.lately(KEY, []) == refusals.lately(KEY, ["a stranger's"]) == 600
    assert refusals.lately("b" * 64, []) is None


def test_after_a_second_the_counters_are_asked_again(refusals: Refusals, clock: Clock) -> None:
    hammer(refusals)
    clock.now_s += 0.9
    assert refusals.lately(KEY, []) == 600
    clock.now_s += 0.2
    assert refusals.lately(KEY, []) is None
    hammer(refusals, 1)  # and one refusal is no hammering
    assert refusals.lately(KEY, []) is None


def test_a_device_that_the_account_knows_is_never_refused_with_the_others(refusals: Refusals) -> None:
    hammer(refusals, account=OWNER)
    assert refusals.lately(KEY, ["a stranger's", "mine"]) is None


def test_a_block_that_ends_within_the_second_ends(refusals: Refusals, clock: Clock) -> None:
    for _ in range(IN_A_ROW):
        refusals.note(replace(REFUSED, retry_after_s=1), None)
    clock.now_s += 1.0
    assert refusals.lately(KEY, []) is None


def test_however_many_identifiers_are_hammered_the_memory_is_bounded(refusals: Refusals) -> None:
    hammer(refusals)
    for other in range(MAX_IDENTIFIERS):
        hammer(refusals, 1, key=str(other))
    assert refusals.lately(KEY, []) is None
