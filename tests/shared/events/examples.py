"""The golden examples as records, for tests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.events.record import Message, Record

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))
NOW = datetime(2026, 11, 20, 9, 30, 5, tzinfo=UTC)


def golden(name: str) -> dict[str, Any]:
    """topic, key, headers, data."""
    example: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return example


def record(
    name: str,
    change: Callable[[dict[str, Any]], object] | None = None,
    *,
    key: bytes | None = b"12345678",
    value: bytes | None = b"the example's",
    headers: dict[str, bytes | None] | None = None,
) -> Record:
    """The golden example as a record, after `change` of its data; a header given as None is a null header."""
    example = golden(name)
    if change is not None:
        change(example["data"])
    written: dict[str, bytes | None] = {header: text.encode() for header, text in example["headers"].items()}
    return Record(
        topic=example["topic"],
        partition=0,
        offset=7,
        key=key,
        value=json.dumps(example["data"]).encode() if value == b"the example's" else value,
        headers=tuple((written | (headers or {})).items()),
    )


def received(message: Message) -> Record:
    """A message as its reader gets it."""
    return Record(message.topic, 0, 0, message.key, message.value, message.headers)
