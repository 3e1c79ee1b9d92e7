"""How long the link to a shared card is good."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.claims import share_rules
from tests.services.claims.examples import coverage, coverage_changed, ended, enrolled
from tests.services.claims.test_card_rules import known

NEW_YEARS_EVE = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
MIDNIGHT_IN_FRANCE = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "facts", "end"),
    [
        (datetime(2026, 11, 24, 9, 30, tzinfo=UTC), [enrolled()], datetime(2026, 11, 25, 9, 30, tzinfo=UTC)),
        (NEW_YEARS_EVE, [enrolled()], MIDNIGHT_IN_FRANCE),
        (NEW_YEARS_EVE, [enrolled(), coverage_changed(coverage(year=2027))], datetime(2027, 1, 1, 20, 0, tzinfo=UTC)),
        (
            datetime(2026, 6, 29, 23, 0, tzinfo=UTC),  # in France it is the membership's last day already
            [enrolled(), ended(date(2026, 6, 30))],
            datetime(2026, 6, 30, 22, 0, tzinfo=UTC),
        ),
        (
            datetime(2026, 6, 28, 21, 59, tzinfo=UTC),
            [enrolled(), ended(date(2026, 6, 30))],
            datetime(2026, 6, 29, 21, 59, tzinfo=UTC),
        ),
    ],
    ids=["a day", "the coverage ends", "the next coverage follows", "the membership ends", "it ends a day later"],
)
def test_a_link_is_good_for_a_day_and_no_longer_than_the_card(now: datetime, facts: list[Any], end: datetime) -> None:
    assert share_rules.ends_at(known(*facts), now) == end


def test_a_links_secret_is_random_and_kept_as_its_digest() -> None:
    made = {share_rules.new_token() for _ in range(100)}
    assert len(made) == 100
    assert {len(token) for token in made} == {27}  # 160 bits
    assert {len(share_rules.digest(token)) for token in made} == {64}
