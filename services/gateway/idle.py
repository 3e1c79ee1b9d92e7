"""When a session ends by itself for want of activity: on any device that the member did not call their own."""

import time
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

LIVE_HEADER: Final = "x-live"
"""What our scripts put on requests that they make by themselves: those are no activity."""
NOTED_AT_MOST_EVERY_S: Final = 60
WARNED_BEFORE_S: Final = 120


@dataclass(frozen=True, slots=True)
class Idle:
    """`seconds` without activity end a session."""

    seconds: float

    @property
    def minutes(self) -> int:
        """As people are told, at least 1."""
        return max(1, round(self.seconds / 60))

    @property
    def warning_s(self) -> float:
        """How long before the end the member is warned."""
        return min(WARNED_BEFORE_S, self.seconds / 2)

    def left_s(self, seen_at: float) -> float:
        """Seconds until the end; zero or less: it is over."""
        return min(seen_at + self.seconds - time.time(), self.seconds)

    def worth_noting(self, seen_at: float) -> bool:
        """Whether the last activity noted is so old that another is worth a cookie."""
        return time.time() - seen_at >= min(NOTED_AT_MOST_EVERY_S, self.seconds / 15)


def by_itself(request: Request) -> bool:
    """Whether a script of ours asked, and not the member."""
    return LIVE_HEADER in request.headers or request.url.path == "/stream"
