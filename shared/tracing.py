"""What ties one request to the events and mails it causes: the request id and the W3C trace context."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_ID_HEADER = "x-request-id"
TRACEPARENT_HEADER = "traceparent"

current_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
current_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def accepted_request_id(text: str | None) -> str | None:
    """`text` if it has the form of a request id, so that nobody writes into our logs."""
    return text if text and _REQUEST_ID.fullmatch(text) else None


def accepted_traceparent(text: str | None) -> str | None:
    """`text` if it is a version 00 traceparent (W3C Trace Context)."""
    return text if text and _TRACEPARENT.fullmatch(text) else None


def trace_id(traceparent: str) -> str:
    """The 32 hexadecimal digits that every part of one trace shares."""
    return traceparent.split("-")[1]


def begin(request_id: str | None, traceparent: str | None) -> tuple[str, str]:
    """Request id and trace of a request, from its headers as far as they have the right form.

    What is missing is made of the other: a member who quotes the request id of a page names the trace, and with it
    the events and mails that followed.
    """
    trace = accepted_traceparent(traceparent)
    request = accepted_request_id(request_id) or (trace_id(trace) if trace else secrets.token_hex(16))
    if trace is None:
        own = request if _TRACE_ID.fullmatch(request) else secrets.token_hex(16)
        trace = f"00-{own}-{secrets.token_hex(8)}-00"
    current_request_id.set(request)
    current_traceparent.set(trace)
    return request, trace


@contextmanager
def following(traceparent: str | None) -> Iterator[None]:
    """Work on behalf of `traceparent`: the events, jobs and mails made inside carry it on."""
    token = current_traceparent.set(traceparent)
    try:
        yield
    finally:
        current_traceparent.reset(token)
