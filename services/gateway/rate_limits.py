"""How often one address may ask: fixed windows of a minute, counted in this process (each replica counts its own).

They keep a stranger from wearing a service out. What protects an account is auth's own counting, shared and durable.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from services.gateway.routes import Route
from shared.errors import TooManyRequests

WINDOW_S: Final = 60.0
MAX_WINDOWS: Final = 100_000
"""Beyond them the oldest ends early: who asks from so many addresses is not held by a limit of each."""
_IPV6_NETWORK_BITS: Final = 64
"""What one household or telephone is given; it may take any address of it."""

_Key = tuple[str, tuple[str, ...], str]
"""A route's path and methods, and who asks."""


@dataclass(slots=True)
class _Window:
    ends_at: float
    asked: int = 0


class RateLimits:
    """The limits of the route table, scaled by `percent`; 0 switches them off. `clock`: seconds that only go forward.

    A window begins with the first request of its address, and all last as long: they end in the order in which they
    began, so that however many addresses ask, one request looks at one window and at those that are over.
    """

    def __init__(self, percent: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._percent, self._clock = percent, clock
        self._windows: OrderedDict[_Key, _Window] = OrderedDict()

    def __len__(self) -> int:
        """How many windows are held."""
        return len(self._windows)

    def count(self, route: Route, address: str) -> None:
        """Count one request. Raises `TooManyRequests` once `address` had its share of this minute."""
        if not self._percent:
            return
        now = self._clock()
        window = self._window((route.path, route.methods, _household(address)), now)
        window.asked += 1
        if window.asked > max(1, route.per_minute * self._percent // 100):
            raise TooManyRequests(retry_after_s=max(1, math.ceil(window.ends_at - now)))

    def _window(self, key: _Key, now: float) -> _Window:
        while self._windows and next(iter(self._windows.values())).ends_at <= now:
            self._windows.popitem(last=False)
        if key not in self._windows:
            self._windows[key] = _Window(now + WINDOW_S)
            if len(self._windows) > MAX_WINDOWS:
                self._windows.popitem(last=False)
        return self._windows[key]


def _household(address: str) -> str:
    if ip_address(address).version == 4:
        return address
    return str(ip_network((address, _IPV6_NETWORK_BITS), strict=False))
