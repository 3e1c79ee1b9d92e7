"""Dates and numbers as people read them on pages, by locale (Babel, CLDR)."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent

from shared import nir
from shared.clock import PARIS
from shared.formats import LOCALE, amount, first_of_month, long_day

__all__ = ["amount", "clock", "in_locale", "long_day", "month", "nir_groups", "numeric_day", "phone_link", "short_day"]


def short_day(day: date, locale: str = LOCALE) -> str:
    """`20 nov.`, `20 Nov`."""
    return first_of_month(day, format_date(day, "d MMM", locale=locale), locale)


def numeric_day(day: date, locale: str = LOCALE) -> str:
    """`12/05/1984`, as on the card."""
    return format_date(day, "dd/MM/y", locale=locale)


def month(day: date, locale: str = LOCALE) -> str:
    """`novembre 2026`."""
    return format_date(day, "MMMM y", locale=locale)


def month_letter(day: date, locale: str = LOCALE) -> str:
    """`N`, for a column of a chart."""
    return format_date(day, "LLLLL", locale=locale)


def percent(whole: int, locale: str = LOCALE) -> str:
    """`65 %`, `65%`: the space never breaks."""
    return format_percent(Decimal(whole) / 100, locale=locale)


def clock(instant: datetime, locale: str = LOCALE) -> str:
    """`14:32`, in Paris."""
    return format_time(instant, "HH:mm", tzinfo=PARIS, locale=locale)


def size(count: int, locale: str = LOCALE) -> str:
    """`340 Ko`, `2,4 Mo`; `340 KB`, `2.4 MB`: bytes as people compare them."""
    byte = "o" if locale == "fr" else "B"
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))}\N{NO-BREAK SPACE}K{byte}"
    return format_decimal(round(count / 1_000_000, 1), locale=locale) + f"\N{NO-BREAK SPACE}M{byte}"


def in_locale(locale: str) -> dict[str, Callable[..., str]]:
    """The formats that differ from one locale to another, by name, bound to `locale`."""
    formats: tuple[Callable[..., str], ...] = (
        amount,
        clock,
        long_day,
        month,
        month_letter,
        numeric_day,
        percent,
        short_day,
        size,
    )
    return {each.__name__: partial(each, locale=locale) for each in formats}


def nir_groups(number: str) -> str:
    """`2 84 05 75 117 001 28`, of a NIR with its key."""
    return nir.grouped(nir.normalise(number))


def phone_link(number: str) -> str:
    """`tel:` address of a telephone number written for people."""
    return "tel:" + "".join(character for character in number if character in "+0123456789")
