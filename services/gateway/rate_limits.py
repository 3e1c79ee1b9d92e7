"""How often one address may ask: fixed windows of a minute, counted in this process (each replica counts its own).

They keep a stranger from wearing a service out. What protects an account is auth's own counting, shared and durable.
"""

import math
import time
from ipaddress import ip_address, ip_network
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from services.gateway.routes import Route
from shared.errors import TooManyRequests

_IPV6_NETWORK_BITS: Final = 64
"""What one household or telephone is given; it may take any address of it."""


class RateLimits:
    """The limits of the route table, scaled by `percent`; 0 switches them off."""

    def __init__(self, percent: int) -> None:
        self._percent = percent
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, route: Route, address: str) -> None:
        """Count one request. Raises `TooManyRequests` once `address` had its share of this minute."""
        if not self._percent:
            return
        item = RateLimitItemPerMinute(max(1, route.per_minute * self._percent // 100))
        key = (route.path, *route.methods, _household(address))
        if not await self._limiter.hit(item, *key):
            window = await self._limiter.get_window_stats(item, *key)
            raise TooManyRequests(retry_after_s=max(1, math.ceil(window.reset_time - time.time())))


def _household(address: str) -> str:
    if ip_address(address).version == 4:
        return address
    return str(ip_network((address, _IPV6_NETWORK_BITS), strict=False))
