"""NDJSON: the head as one JSON object, then one event a line as `portal publish` takes it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from deploy.cli.feeds.parts import MAX_LINE_BYTES, Head, Lines, Written, head, refuse


def read(file: BinaryIO, *, now: datetime) -> tuple[Head, Lines]:
    """The head, and the events as they are written. Raises `InvalidFeed`."""
    lines = enumerate(iter(lambda: file.readline(MAX_LINE_BYTES + 1), b""), start=1)
    _, first = next(lines, (1, b""))
    try:
        written = json.loads(first)
    except (ValueError, RecursionError):
        refuse("not JSON")
    if not isinstance(written, dict):
        refuse("should be a JSON object")
    return head(written, now=now), _events(lines)


def _events(lines: Iterator[tuple[int, bytes]]) -> Lines:
    for number, line in lines:
        if len(line) > MAX_LINE_BYTES:
            yield Written(number, fault=f"longer than {MAX_LINE_BYTES:,} bytes; nothing after it was read")
            return
        if line.strip():
            yield Written(number, line)
