"""What ties one request to the events and mails it causes: the request id and the W3C trace context."""

import re
import secrets
from contextvars import ContextVar

REQUEST_ID_HEADER = "x-request-id"
TRACEPARENT_HEADER = "traceparent"

current_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
current_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def accepted_request_id(text: str | None) -> str | None:
    """`text` if it has the form of a request id, so that nobody writes into our logs."""
    return text if text and _REQUEST_ID.fullmatch(text) else None


def accepted_traceparent(text: str | None) -> str | None:
    """`text` if it is a version 00 traceparent (W3C Trace Context)."""
    return text if text and _TRACEPARENT.fullmatch(text) else None


def new_request_id() -> str:
    """A request id of our own: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_traceparent() -> str:
    """A trace of our own, not sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
