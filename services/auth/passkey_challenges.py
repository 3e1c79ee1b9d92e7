"""What a passkey signs: a challenge that says by itself what it is for and until when; nothing is kept of it."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from services.auth.challenges import Proof
from services.auth.errors import PasskeyRefused

LIVES: Final = timedelta(minutes=5)
SIGN_IN: Final = "sign_in"
_NONCE_BYTES, _TIME_BYTES = 16, 8


def registration_of(member_number: str, session_id: str) -> str:
    """For a new passkey of that member, asked for in that session."""
    return f"registration|{member_number}|{session_id}"


def step_up_of(session_id: str) -> str:
    """For confirming that session."""
    return f"step_up|{session_id}"


class PasskeyChallenges:
    """A nonce, the end in Unix seconds, and an HMAC over both and the purpose: nobody else can make one."""

    def __init__(self, key: bytes, *, clock: Callable[[], datetime]) -> None:
        self._key, self._clock = hmac.digest(key, b"passkeys|challenge", "sha256"), clock

    def new(self, purpose: str) -> bytes:
        """A challenge that is good for `purpose` alone, for five minutes."""
        ends = int((self._clock() + LIVES).timestamp())
        body = secrets.token_bytes(_NONCE_BYTES) + ends.to_bytes(_TIME_BYTES, "big")
        return body + self._mac(body, purpose)

    def checked(self, challenge: bytes, purpose: str) -> Proof:
        """What an answer to it uses up. Raises `PasskeyRefused`: not ours, for something else, or too old."""
        body, mac = challenge[: _NONCE_BYTES + _TIME_BYTES], challenge[_NONCE_BYTES + _TIME_BYTES :]
        if not hmac.compare_digest(mac, self._mac(body, purpose)):
            raise PasskeyRefused
        expires_at = datetime.fromtimestamp(int.from_bytes(body[_NONCE_BYTES:], "big"), UTC)
        if expires_at <= self._clock():
            raise PasskeyRefused
        return Proof(hashlib.sha256(challenge).hexdigest(), expires_at)

    def _mac(self, body: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, body + purpose.encode(), "sha256")
