"""Amounts, days, addresses as people read them (Babel, CLDR), in French unless asked: on pages as on paper."""

from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency

LOCALE = "fr"


def amount(cents: int, locale: str = LOCALE) -> str:
    """`1 234,50 €`, `€1,234.50`: the spaces never break, the minus sign is a real one."""
    return format_currency(Decimal(cents) / 100, "EUR", locale=locale).replace("-", "\N{MINUS SIGN}")


def long_day(day: date, locale: str = LOCALE) -> str:
    """`20 novembre 2026`, `1er mai 2026`, `20 November 2026`."""
    return first_of_month(day, format_date(day, "d MMMM y", locale=locale), locale)


def masked_email(address: str) -> str:
    """`l***@example.org`: enough to recognise one's own address by."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def first_of_month(day: date, text: str, locale: str = LOCALE) -> str:
    """`text` with the first day of a month written `1er`, in French."""
    return text.replace("1 ", "1er ", 1) if day.day == 1 and locale == "fr" else text
