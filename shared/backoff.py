"""Waiting between tries: exponential with full jitter, so that many clients never come back at once."""

import asyncio
import random


class Backoff:
    """Delays of at most `first_s`, then twice as much each time up to `cap_s`."""

    def __init__(self, first_s: float = 0.05, cap_s: float = 5.0) -> None:
        self._first_s, self._cap_s, self._tries = first_s, cap_s, 0

    @property
    def tries(self) -> int:
        """How many delays were drawn since the last reset."""
        return self._tries

    def reset(self) -> None:
        """Start again from the first delay."""
        self._tries = 0

    def next_s(self) -> float:
        """Draw the next delay in seconds: never under a tenth of its bound, so that no loop spins."""
        bound: float = min(self._cap_s, self._first_s * 2 ** min(self._tries, 30))
        self._tries += 1
        return bound * random.uniform(0.1, 1.0)  # noqa: S311 - spreading load, no secret

    async def sleep(self) -> None:
        """Wait for the next delay."""
        await asyncio.sleep(self.next_s())
