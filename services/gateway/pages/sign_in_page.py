"""The sign-in page: the front door, and what answers a form whose session is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

from services.gateway.pages.web import Web

COOKIES_KNOWN: Final = "cookies_known"


@dataclass(frozen=True, slots=True)
class Block:
    """The sign-in is blocked `until`, seen `at`."""

    until: datetime
    at: datetime

    @property
    def minutes(self) -> int:
        """How long it lasts yet, rounded up."""
        return ceil((self.until - self.at) / timedelta(minutes=1))

    @property
    def hours(self) -> int:
        """The same in hours; 0 for what is told in minutes."""
        return ceil(self.minutes / 60) if self.minutes > 90 else 0


def sign_in_page(web: Web, request: Request, status: int = 200, **context: Any) -> Response:
    """The page. `garde`: a sealed draft to carry along.

    `too_long`: there was one that cannot be kept. `away`: nobody could be asked just now.
    """
    state: dict[str, Any] = {
        "suite": "",
        "identifier": "",
        "missing": [],
        "attempts_left": None,
        "block": None,
        "closed": False,
        "passkey_refused": False,
        "trusted": False,
        "over": web.sessions.ended_by_itself(request),
        "garde": "",
        "too_long": False,
        "away": False,
    }
    known = web.cookies.get(request, COOKIES_KNOWN) is not None
    return web.page(request, "home.html", status, cookies_known=known, **(state | context))
