"""Passwords: how temporary ones look, what an own one must be, and how both are hashed (argon2id, RFC 9106).

Before anything else a typed password is normalised to NFKC, so that « é » is the same from every keyboard.
"""

import asyncio
import hashlib
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter

from shared.errors import FieldError, Unavailable

MIN_LENGTH = 12
MAX_LENGTH = 128
MIN_DISTINCT = 5

ALPHABET = "ACDEFGHJKMNPQRTUWXY34679"
"""Capitals and digits without the pairs that paper confuses: 0/O, 1/I/L, 2/Z, 5/S, 8/B, V beside U."""
RANDOM_CHARACTERS = 14  # 14 x log2(24) = 64 bits
GROUP = 4

_COMMON = frozenset(
    {
        "motdepasse",
        "password",
        "passe",
        "azerty",
        "azertyuiop",
        "qwerty",
        "qwertyuiop",
        "bonjour",
        "bienvenue",
        "soleil",
        "doudou",
        "chouchou",
        "loulou",
        "marseille",
        "france",
        "paris",
        "lyon",
        "nicolas",
        "camille",
        "jetaime",
        "amour",
        "maman",
        "papa",
        "secret",
        "admin",
        "administrateur",
        "utilisateur",
        "plansante",
        "mutuelle",
        "sante",
        "espace",
        "assure",
        "espaceassure",
        "adherent",
        "securitesociale",
        "cartevitale",
        "compte",
        "connexion",
        "welcome",
        "letmein",
        "iloveyou",
        "monkey",
        "dragon",
        "football",
    }
)
_SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjkl")

_DETAILS = {
    "too_short": f"At least {MIN_LENGTH} characters.",
    "too_long": f"At most {MAX_LENGTH} characters.",
    "only_digits": "Not only digits.",
    "too_repetitive": f"At least {MIN_DISTINCT} different characters.",
    "too_common": "Not a well-known word or row of keys.",
    "personal_data": "Not a name, a birth date, an address or a number of the account.",
    "looks_temporary": "Not of the form of a temporary password.",
    "unchanged": "Different from the current password.",
}

HASHES = Counter("espace_password_hashes_total", "argon2id computations, for requests or for letters.", ["purpose"])

T = TypeVar("T")


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
    text = re.sub(r"[\s\-\u2010-\u2015]", "", unicodedata.normalize("NFKC", typed)).upper()
    payload, check = text[:RANDOM_CHARACTERS], text[RANDOM_CHARACTERS:]
    if len(payload) != RANDOM_CHARACTERS or not set(text) <= set(ALPHABET) or check != _check(payload):
        return None
    return text


def _check(payload: str) -> str:
    digest = hashlib.sha256(payload.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:2])


def weaknesses(password: str, *, personal: Iterable[str]) -> list[str]:
    """Why `password` is refused as an own password: stable codes, in the order to show them; empty if it is good.

    12 characters that are not all digits reach the 50 bits that the CNIL asks where tries are limited
    (délibération 2022-100). `personal`: names, dates, addresses and numbers of the member.
    """
    text = unicodedata.normalize("NFKC", password)
    checks = {
        "too_short": len(text) < MIN_LENGTH,
        "too_long": len(text) > MAX_LENGTH,
        "only_digits": text.isdigit(),
        "too_repetitive": len(set(text)) < MIN_DISTINCT,
        "too_common": _is_common(text),
        "personal_data": _is_personal(text, personal),
        "looks_temporary": canonical_temporary(text) is not None,
    }
    return [code for code, refused in checks.items() if refused]


def described(codes: Sequence[str], field: str) -> list[FieldError]:
    """The codes of `weaknesses` as errors of `field`."""
    return [FieldError(field, code, _DETAILS[code]) for code in codes]


def _plain(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _is_common(text: str) -> bool:
    """A listed word, alone or repeated, under any decoration of digits and signs; or a row of the keyboard."""
    plain = _plain(text)
    letters = re.sub(r"[^a-z]", "", plain)
    once = re.fullmatch(r"(.+?)\1*", letters)
    if once and (letters in _COMMON or once.group(1) in _COMMON):
        return True
    straight = plain if plain.isalnum() else ""
    return any(straight and straight in row + row for s in _SEQUENCES for row in (s, s[::-1]))


def _is_personal(text: str, personal: Iterable[str]) -> bool:
    """Whether a personal datum makes up most of the password: taken away, fewer than 8 characters stay."""
    rest = re.sub(r"[^a-z0-9]", "", _plain(text))
    before = rest
    for datum in personal:
        token = re.sub(r"[^a-z0-9]", "", _plain(datum))
        if len(token) >= 3:
            rest = rest.replace(token, "")
    return rest != before and len(rest) < 8


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
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def hash_in_background(self, canonical: str) -> str:
        """The hash of a temporary password in its canonical form, at low priority."""
        HASHES.labels("letter").inc()
        return await asyncio.get_running_loop().run_in_executor(self._background, self._hasher.hash, canonical)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one stored; without a stored one the same time is spent and the answer is no."""
        return await self._run(lambda: self._matches(stored or self._dummy, _normal(password))) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether `stored` was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._places <= 0:
            raise Unavailable(retry_after_s=1)
        self._places -= 1
        HASHES.labels("request").inc()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places += 1


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _lower_priority() -> None:
    """Linux schedules threads one by one: this one yields to every other."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
