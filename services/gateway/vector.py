"""Ids of the live stream: `c<ms>.d<ms>.n<ms>`, one part per service, each in the time of that service's database."""

import re
import time
from typing import Final

from services.gateway.routes import STREAMS

_PART: Final = re.compile(r"([a-z])(\d{1,15})")

Vector = dict[str, int]


def parse_vector(text: str | None) -> Vector:
    """Each service's part; a part that is missing or unreadable starts now."""
    known = {match[1]: int(match[2]) for part in (text or "").split(".") if (match := _PART.fullmatch(part))}
    now_ms = int(time.time() * 1000)
    return {letter: known.get(letter, now_ms) for letter in STREAMS}


def format_vector(vector: Vector) -> str:
    """`c1763900000000.d1763900000000.n1763900000000`."""
    return ".".join(f"{letter}{vector[letter]}" for letter in STREAMS)


def vector_now() -> str:
    """The vector for a page whose data is read after this call.

    Our clock may differ a little from the databases': each service re-reads from 60 s before its part.
    """
    return format_vector(parse_vector(None))
