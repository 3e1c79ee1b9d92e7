"""The rules of a shared card, pure: how long its link is good, and what is kept of the link's secret."""

import hashlib
import secrets
from datetime import datetime, time, timedelta
from typing import Final

from services.claims.card import card_on
from services.claims.models import Member
from shared.clock import PARIS, day_in_france

LIFE: Final = timedelta(hours=24)
_TOKEN_BYTES: Final = 20
"""160 bits: beyond guessing, and short enough for a QR code that any telephone reads."""


def new_token() -> str:
    """The secret of a new link, 27 characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(token: str) -> str:
    """What a link is found by. Its secret is random in itself, so a plain SHA-256 gives nothing away."""
    return hashlib.sha256(token.encode()).hexdigest()


def ends_at(member: Member, now: datetime) -> datetime:
    """When a link made at `now` ends: after `LIFE`, or with the last card of that time, at midnight in France."""
    end = now + LIFE
    day, last_day = day_in_france(now), day_in_france(end)
    while day < last_day:
        day += timedelta(days=1)
        if card_on(member, day) is None:
            return datetime.combine(day, time(), PARIS).astimezone(now.tzinfo)
    return end
