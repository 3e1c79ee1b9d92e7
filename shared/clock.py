"""Instants: always UTC, always whole milliseconds.

A BSON date holds milliseconds. With finer instants in memory, an instant read back from MongoDB would be smaller
than the one that was written, and "the larger (ce_time, ce_id) wins" would depend on the order of arrival.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """The present instant (UTC, ms)."""
    return to_ms(datetime.now(UTC))


def to_ms(instant: datetime) -> datetime:
    """The same instant in UTC, cut to the millisecond. `instant` must carry an offset."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    finer = utc.microsecond % 1000
    return utc - timedelta(microseconds=finer) if finer else utc


def day_in_france(instant: datetime) -> date:
    """The day that people in France write for it."""
    return instant.astimezone(PARIS).date()


def rfc3339(instant: datetime) -> str:
    """`2026-11-20T09:30:00.000Z`."""
    return to_ms(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")
