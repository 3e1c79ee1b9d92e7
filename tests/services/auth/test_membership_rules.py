"""The end of a membership, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.auth.membership_rules import Over, erased_on, months_later, over
from services.auth.models import Account, Fact

MONTHS = 24
OCTOBER = Over(date(2026, 10, 31), date(2028, 10, 30))
JUNE = Over(date(2026, 6, 30), date(2028, 6, 29))


def until(day: str | None) -> Account:
    """An account whose membership ends on that day."""
    return Account(member_number="12345678", facts={"ended_on": Fact(value=day, order="1")})


@pytest.mark.parametrize(
    ("ended_on", "now", "expected"),
    [
        ("2026-10-31", datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC), None),
        ("2026-10-31", datetime(2026, 10, 31, 23, 0, tzinfo=UTC), OCTOBER),
        ("2026-06-30", datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC), None),
        ("2026-06-30", datetime(2026, 6, 30, 22, 0, tzinfo=UTC), JUNE),
        ("2026-06-30", datetime(2028, 6, 29, 12, 0, tzinfo=UTC), JUNE),
        ("2027-06-30", datetime(2026, 11, 26, 12, 0, tzinfo=UTC), None),
        (None, datetime(2026, 11, 26, 12, 0, tzinfo=UTC), None),
    ],
    ids=["winter, last second", "winter, midnight", "summer, last second", "summer, midnight", "late", "to come", "no"],
)
def test_a_membership_is_over_from_the_midnight_in_france_after_its_last_day(
    ended_on: str | None, now: datetime, expected: Over | None
) -> None:
    assert over(until(ended_on), MONTHS, now) == expected


def test_an_end_that_was_never_told_is_none() -> None:
    account = Account(member_number="12345678")
    assert over(account, MONTHS, datetime(2026, 11, 26, tzinfo=UTC)) is None
    assert erased_on(account, MONTHS) is None


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 10, 31), 24, date(2028, 10, 31)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2026, 10, 31), 4, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
    ],
)
def test_months_later_is_the_same_day_or_the_months_last(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later
    assert erased_on(until(day.isoformat()), months) == later
