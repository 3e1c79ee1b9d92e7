"""Identifiers that we give: UUIDv7 (RFC 9562), so that they sort by the time they were made."""

import uuid_utils


def new_id() -> str:
    """A new UUIDv7 as 36 characters of text."""
    return str(uuid_utils.uuid7())
