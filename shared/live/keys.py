"""Keys that name their owner, `<member_number>/<id>`, and stamps in milliseconds of the database server's clock."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def key(member_number: str, record_id: str) -> str:
    """The `_id` of a member's record; asking for someone else's record can only miss."""
    return f"{member_number}/{record_id}"


def parts(record_key: str) -> tuple[str, str]:
    """Back to (`member_number`, `id`)."""
    member_number, _, record_id = record_key.partition("/")
    return member_number, record_id


def milliseconds(at: datetime) -> int:
    """An instant as milliseconds since 1970, the form of a stream's ids."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def instant(at_ms: int) -> datetime:
    """Back to an instant; a number beyond the calendar becomes its end."""
    try:
        return _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
