"""What a mailed link that serves once is worth."""

from datetime import UTC, datetime, timedelta

import pytest

from services.auth import link_rules
from services.auth.link_rules import LinkState
from services.auth.models import Account, ResetLink, UnlockLink

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("link", "passwords_set", "minutes", "state"),
    [
        ({}, 1, 0, LinkState.GOOD),
        ({}, 1, 59, LinkState.GOOD),
        ({}, 1, 60, LinkState.EXPIRED),
        ({}, 2, 0, LinkState.EXPIRED),  # the password was changed since
        ({"used_at": NOW}, 2, 0, LinkState.USED),
        ({"used_at": NOW}, 3, 600, LinkState.USED),
        (None, 1, 0, LinkState.EXPIRED),  # never ours
    ],
)
def test_a_reset_link_is_good_for_an_hour_once_and_for_one_password(
    link: dict[str, object] | None, passwords_set: int, minutes: int, state: LinkState
) -> None:
    mailed = {
        "token_hash": "h", "member_number": "12345678", "passwords_set": 1,
        "expires_at": NOW + timedelta(minutes=60), "delete_at": NOW + timedelta(days=30),
    }  # fmt: skip
    known = None if link is None else ResetLink.model_validate({**mailed, **link})
    account = Account(member_number="12345678", passwords_set=passwords_set)
    assert link_rules.judge_reset_link(known, account, NOW + timedelta(minutes=minutes)) is state
    assert link_rules.judge_reset_link(known, None, NOW) is LinkState.EXPIRED


def test_an_unlock_link_serves_once_until_its_end_whatever_the_password() -> None:
    end = NOW + timedelta(hours=24)
    link = UnlockLink(token_hash="t", member_number="1", expires_at=end, delete_at=end)
    account = Account(member_number="1", passwords_set=7)
    assert link_rules.judge_link(link, account, NOW) is LinkState.GOOD
    assert link_rules.judge_link(link, account, end) is LinkState.EXPIRED
    assert link_rules.judge_link(link.model_copy(update={"used_at": NOW}), account, NOW) is LinkState.USED
    assert link_rules.judge_link(link, None, NOW) is link_rules.judge_link(None, None, NOW) is LinkState.EXPIRED
