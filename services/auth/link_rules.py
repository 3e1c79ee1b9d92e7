"""What a mailed link that serves once is worth."""

from datetime import datetime
from enum import Enum

from services.auth.models import Account, OnceLink, ResetLink


class LinkState(Enum):
    """What a mailed link is worth."""

    GOOD = "good"
    USED = "used"
    EXPIRED = "expired"  # past its time, voided by another password, or never ours


def judge_link(link: OnceLink | None, account: Account | None, now: datetime) -> LinkState:
    """`account`: the one the link was mailed to."""
    if link is None or account is None:
        return LinkState.EXPIRED
    if link.used_at is not None:
        return LinkState.USED
    return LinkState.GOOD if now < link.expires_at else LinkState.EXPIRED


def judge_reset_link(link: ResetLink | None, account: Account | None, now: datetime) -> LinkState:
    """The same, and no other password was set since it was asked for, nor the way in closed."""
    state = judge_link(link, account, now)
    if link is None or account is None or state is not LinkState.GOOD:
        return state
    good = link.passwords_set == account.passwords_set and account.closure is None
    return LinkState.GOOD if good else LinkState.EXPIRED
