"""The limit of sign-ins: argon2-cffi in a bare loop on every core, with auth's parameters and nothing around it."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

from benchmarks.identity.people import PASSWORD
from services.auth.settings import AuthSettings


def _default(name: str) -> int:
    return int(AuthSettings.model_fields[name].default)


CORES = len(os.sched_getaffinity(0))


class BareLoop:
    """As many threads as cores, each verifying the same password again and again."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=_default("argon2_passes"),
            memory_cost=_default("argon2_memory_kib"),
            parallelism=_default("argon2_lanes"),
        )
        self._stored = self._hasher.hash(PASSWORD)

    def run(self, seconds: float) -> tuple[float, list[tuple[float, float]]]:
        """Verifications a second of all threads together; of each, how many ms passed and how many CPU ms it took."""
        started = time.perf_counter()
        with ThreadPoolExecutor(CORES) as pool:
            times_ms = [one for some in pool.map(self._until, [started + seconds] * CORES) for one in some]
        return len(times_ms) / (time.perf_counter() - started), times_ms

    def _until(self, end: float) -> list[tuple[float, float]]:
        times_ms: list[tuple[float, float]] = []
        while (begun := time.perf_counter()) < end:
            worked = time.thread_time()
            self._hasher.verify(self._stored, PASSWORD)
            times_ms.append(((time.perf_counter() - begun) * 1000, (time.thread_time() - worked) * 1000))
        return times_ms
