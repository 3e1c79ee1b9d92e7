"""« Je ne suis pas un robot »: ALTCHA's proof of work, version 2 (altcha.org).

A challenge is signed and kept nowhere: whoever answers sends it back with the number that solves it. The number is
drawn here from `[0, max_number)`, so the work has an end: that many derivations, half of them on average.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import altcha

from services.auth.errors import ChallengeFailed
from services.auth.schemas import ChallengeView

ALGORITHM: Final = "PBKDF2/SHA-256"
"""Every browser derives it in native code (Web Cryptography), whatever its age; Argon2 would have to be sent along."""
ITERATIONS: Final = 1_000
"""Of each derivation: making a challenge costs one of them here (0.3 ms), checking an answer none."""
LIVES: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge that was solved. `key` is the same for every answer to it; after `expires_at` none is taken."""

    key: str
    expires_at: datetime


class Challenges:
    """Makes challenges and checks the answers, with keys derived from ALTCHA_KEY. Knows nobody and stores nothing."""

    def __init__(self, key: bytes, *, max_number: int, clock: Callable[[], datetime]) -> None:
        self._signing = _derived(key, "challenge")
        self._solution = _derived(key, "solution")
        self._max_number, self._clock = max_number, clock

    def new(self) -> ChallengeView:
        """A challenge that can be answered for five minutes."""
        challenge = altcha.create_challenge(
            ALGORITHM,
            ITERATIONS,
            counter=secrets.randbelow(self._max_number),
            expires_at=self._clock() + LIVES,
            hmac_secret=self._signing,
            hmac_key_secret=self._solution,
        )
        return ChallengeView.model_validate(challenge.to_dict())

    def checked(self, answer: str) -> Proof:
        """What an answer (base64 of ALTCHA's JSON) proves. Raises `ChallengeFailed` for anything but a good one."""
        if not altcha.verify_solution(answer, self._signing, hmac_key_secret=self._solution).verified:
            raise ChallengeFailed
        challenge = altcha.Payload.from_base64(answer).challenge
        key = hashlib.sha256(str(challenge.signature).encode()).hexdigest()
        return Proof(key, datetime.fromtimestamp(challenge.parameters.expires_at or 0, UTC))


def _derived(key: bytes, use: str) -> bytes:
    return hmac.digest(key, f"altcha|{use}".encode(), "sha256")
