"""Whose tries wait for each other: those with one identifier, however many come at once and wherever from."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

RESTS: Final = 5
"""A line rests five times as long as a try that failed took: guessing takes a sixth of a core while tries are short."""
MAX_REST_S: Final = 0.25
"""Where tries take longer than 50 ms the share grows: the last of a full line waits for seconds, not half a minute."""
MAX_IN_LINE: Final = 25
"""As many as may fail in a day, unless set otherwise: what is behind them is refused by the counters anyway."""


class Crowded(Exception):
    """As many stand in that line already as may."""


@dataclass(slots=True)
class _Line:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    standing: int = 0


class Lines:
    """Of this process. A line is there while somebody stands in it or it rests."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def __len__(self) -> int:
        """How many lines are held."""
        return len(self._lines)

    def is_full(self, name: str) -> bool:
        """Whether `turn` would raise `Crowded`."""
        return name in self._lines and self._lines[name].standing >= MAX_IN_LINE

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """This try's turn in the line, which rests if it fails. Raises `Crowded` instead of waiting for too many."""
        if self.is_full(name):
            raise Crowded
        line = self._lines.setdefault(name, _Line())
        line.standing += 1
        try:
            await line.turn.acquire()
        except BaseException:
            self._left(name, line)
            raise
        loop, rest_s = asyncio.get_running_loop(), 0.0
        began = loop.time()
        try:
            yield
        except BaseException:
            rest_s = min((loop.time() - began) * RESTS, MAX_REST_S)
            raise
        finally:
            loop.call_later(rest_s, self._over, name, line)

    def _over(self, name: str, line: _Line) -> None:
        line.turn.release()
        self._left(name, line)

    def _left(self, name: str, line: _Line) -> None:
        line.standing -= 1
        if not line.standing:
            del self._lines[name]
