"""Passwords: how temporary ones look, and how all are hashed (argon2id, RFC 9106).

`password_rules.py` says what an own one must be. Before anything else a typed password is normalised to NFKC.
"""

import asyncio
import hashlib
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter

from shared.errors import Unavailable

ALPHABET = "ACDEFGHJKMNPQRTUWXY34679"
"""Capitals and digits without the pairs that paper confuses: 0/O, 1/I/L, 2/Z, 5/S, 8/B, V beside U."""
RANDOM_CHARACTERS = 14  # 14 x log2(24) = 64 bits
GROUP = 4

HASHES = Counter("espace_password_hashes_total", "argon2id computations, for requests or for letters.", ["purpose"])

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """An own password that was accepted. `short`: only beside a second factor."""

    hash: str
    short: bool


def generate_temporary() -> str:
    """A temporary password as printed: `XXXX-XXXX-XXXX-XXXX`, 64 random bits and two check characters."""
    payload = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    whole = payload + _check(payload)
    return "-".join(whole[i : i + GROUP] for i in range(0, len(whole), GROUP))


def canonical_temporary(typed: str) -> str | None:
    """The form that is hashed if `typed` is a temporary password (any case, spaces and hyphens ignored), else None.

    The check characters make the two kinds of password tell apart by themselves, so one sign-in costs one hash
    whatever the account holds.
    """
    text = re.sub(r"[\s\-\u2010-\u2015]", "", normal(typed)).upper()
    payload, check = text[:RANDOM_CHARACTERS], text[RANDOM_CHARACTERS:]
    if len(payload) != RANDOM_CHARACTERS or not set(text) <= set(ALPHABET) or check != _check(payload):
        return None
    return text


def _check(payload: str) -> str:
    digest = hashlib.sha256(payload.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:2])


def normal(password: str) -> str:
    """A typed password as it is judged and hashed: « é » is the same from every keyboard, full-width letters too."""
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Hashes in threads of its own, as many at a time as it is told, and refuses work beyond its queue with 503.

    A low-priority thread beside them hashes for letters, so that a wave of enrolments never delays a sign-in.
    """

    name = "passwords"
    required = True

    def __init__(self, *, memory_kib: int, passes: int, lanes: int, threads: int, max_waiting: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._pool = ThreadPoolExecutor(threads, "argon2")
        self._background = ThreadPoolExecutor(1, "argon2-background", initializer=_lower_priority)
        self._places = threads + max_waiting
        self._dummy = self._hasher.hash(secrets.token_hex())

    async def start(self) -> None:
        """Nothing to wait for."""

    async def stop(self) -> None:
        """Let the hashes under way finish, drop those that wait."""
        for pool in (self._pool, self._background):
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def state(self) -> str:
        """`ok`, or that every place is taken."""
        return "ok" if self._places > 0 else "full"

    async def hash(self, password: str) -> str:
        """The argon2id hash of an own password, in PHC form. Raises `Unavailable` when the queue is full."""
        return await self._placed(lambda: self._hasher.hash(normal(password)))

    async def hash_in_background(self, canonical: str) -> str:
        """The hash of a temporary password in its canonical form, at low priority."""
        HASHES.labels("letter").inc()
        return await asyncio.get_running_loop().run_in_executor(self._background, self._hasher.hash, canonical)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one stored; without a stored one the same time is spent and the answer is no.

        Raises `Unavailable` when the queue is full.
        """
        typed = normal(password)
        return await self._placed(lambda: self._matches(stored or self._dummy, typed)) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether `stored` was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _placed(self, work: Callable[[], T]) -> T:
        if self._places <= 0:
            raise Unavailable(retry_after_s=1)
        self._places -= 1
        try:
            return await self._run(work)
        finally:
            self._places += 1

    async def _run(self, work: Callable[[], T]) -> T:
        HASHES.labels("request").inc()
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _lower_priority() -> None:
    """Linux schedules threads one by one: this one yields to every other."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
