"""What the routes of the public API have in common: lists by cursor, requests that may be repeated, nothing kept."""

import datetime as dt
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Query, Response

from shared.errors import FieldError, Invalid

At = TypeVar("At", dt.date, dt.datetime)

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=500)]
IdempotencyKey = Annotated[str | None, Header(pattern=r"^[!-~]{1,128}$")]
"""The same key again has the effect of the first request, and no second one."""


async def _not_stored(response: Response) -> None:
    response.headers["cache-control"] = "no-store"


NotStored = Depends(_not_stored)
"""On every router with personal data: it stays in no cache, shared or not."""


def list_cursor(at: str, record_id: str) -> str:
    """The opaque text by which a list is read on after the record of that day or instant (ISO 8601)."""
    return urlsafe_b64encode(json.dumps([at, record_id]).encode()).decode().rstrip("=")


def list_position(text: str, kind: type[At]) -> tuple[At, str]:
    """What `list_cursor` was given. Raises `Invalid` for what no list of ours gave out."""
    try:
        at, record_id = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        str(record_id).encode()  # JSON may hold half a surrogate pair, which no database takes for a text
        return kind.fromisoformat(at), str(record_id)
    except (ValueError, TypeError):
        raise Invalid(errors=[FieldError("cursor", "cursor_invalid", "Not a cursor of this list")]) from None
