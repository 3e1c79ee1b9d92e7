"""Dates and numbers as people read them on pages, by locale (Babel, CLDR)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from shared import nir
from shared.formats import LOCALE, amount, first_of_month, long_day

__all__ = ["amount", "clock", "long_day", "month", "nir_groups", "phone_link", "short_day"]

_PARIS = ZoneInfo("Europe/Paris")


def short_day(day: date) -> str:
    """`20 nov.`"""
    return first_of_month(day, format_date(day, "d MMM", locale=LOCALE))


def month(day: date) -> str:
    """`novembre 2026`."""
    return format_date(day, "MMMM y", locale=LOCALE)


def month_letter(day: date) -> str:
    """`N`, for a column of a chart."""
    return format_date(day, "LLLLL", locale=LOCALE)


def clock(instant: datetime) -> str:
    """`14:32`, in Paris."""
    return format_time(instant, "HH:mm", tzinfo=_PARIS, locale=LOCALE)


def size(count: int) -> str:
    """`340 Ko`, `2,4 Mo`: bytes as people compare them."""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))}\N{NO-BREAK SPACE}Ko"
    return format_decimal(round(count / 1_000_000, 1), locale=LOCALE) + "\N{NO-BREAK SPACE}Mo"


def day_in_paris(instant: datetime) -> date:
    """The day it was in France."""
    return instant.astimezone(_PARIS).date()


def nir_groups(number: str) -> str:
    """`2 84 05 75 117 001 28`, of a NIR with its key."""
    return nir.grouped(nir.normalise(number))


def phone_link(number: str) -> str:
    """`tel:` address of a telephone number written for people."""
    return "tel:" + "".join(character for character in number if character in "+0123456789")
