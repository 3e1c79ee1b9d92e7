"""Amounts, dates and numbers as people read them, by locale (Babel, CLDR)."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

LOCALE = "fr"
_PARIS = ZoneInfo("Europe/Paris")


def amount(cents: int) -> str:
    """`1 234,50 €`: the spaces never break, the minus sign is a real one."""
    return format_currency(Decimal(cents) / 100, "EUR", locale=LOCALE).replace("-", "\N{MINUS SIGN}")


def long_day(day: date) -> str:
    """`20 novembre 2026`, `1er mai 2026`."""
    return _first(day, format_date(day, "d MMMM y", locale=LOCALE))


def short_day(day: date) -> str:
    """`20 nov.`"""
    return _first(day, format_date(day, "d MMM", locale=LOCALE))


def month(day: date) -> str:
    """`novembre 2026`."""
    return format_date(day, "MMMM y", locale=LOCALE)


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


def phone_link(number: str) -> str:
    """`tel:` address of a telephone number written for people."""
    return "tel:" + "".join(character for character in number if character in "+0123456789")


def _first(day: date, text: str) -> str:
    return text.replace("1 ", "1er ", 1) if day.day == 1 and LOCALE == "fr" else text
