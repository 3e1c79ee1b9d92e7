"""Pure rules of a membership's end: until when one writes, until when one reads, when everything is erased."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.auth.models import Account
from shared import clock


@dataclass(frozen=True, slots=True)
class Over:
    """A membership that is over. `ended_on`: its last day. `readable_until`: the last day before the erasure."""

    ended_on: date
    readable_until: date


def over(account: Account, months: int, now: datetime) -> Over | None:
    """The end of the membership from the day after on, midnight in France; None: it goes on, for a while at least."""
    ended_on = last_day(account)
    if ended_on is None or clock.day_in_france(now) <= ended_on:
        return None
    return Over(ended_on, months_later(ended_on, months) - timedelta(days=1))


def erased_on(account: Account, months: int) -> date | None:
    """The day on which everything of the member goes: `months` after the end of the membership; None: it goes on."""
    ended_on = last_day(account)
    return months_later(ended_on, months) if ended_on else None


def last_day(account: Account) -> date | None:
    """Of the membership, as contract management told it last."""
    told = account.fact("ended_on")
    return date.fromisoformat(str(told)) if told else None


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
