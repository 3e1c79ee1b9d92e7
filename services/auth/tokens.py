"""Access tokens (EdDSA JWT, RFC 8037), refresh tokens, and the random tokens of links and devices."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from shared.tokens import ALGORITHM, TYPE

_COUNTER_BYTES = 4
_MAC_BYTES = 32


class AccessTokens:
    """Signs with the first key; every key is published, so that tokens outlive a rotation."""

    def __init__(self, seeds: Mapping[str, bytes], *, issuer: str, lifetime_s: int) -> None:
        keys = {kid: _ed25519(kid, seed) for kid, seed in seeds.items()}
        self._kid, self._key = next(iter(keys.items()))
        self._issuer = issuer
        self._lifetime_s = lifetime_s
        self.jwks: dict[str, Any] = {"keys": [key.as_dict(private=False) for key in keys.values()]}
        """The public keys as a JSON Web Key Set (RFC 7517)."""

    def lives_s(self, now: datetime, ends_at: datetime) -> int:
        """How long a token of `now` lives whose session ends at `ends_at`: whole seconds, never beyond it."""
        return min(self._lifetime_s, int(ends_at.timestamp()) - int(now.timestamp()))

    def issue(
        self,
        *,
        member_number: str,
        session_id: str,
        insurer: str,
        required_actions: Sequence[str],
        now: datetime,
        lives_s: int | None = None,
        read_only: bool = False,
    ) -> str:
        """A token with the claims of the API: iss, sub, sid, insurer, iat, exp, required_actions, perhaps read_only."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "sub": member_number,
            "sid": session_id,
            "insurer": insurer,
            "iat": issued_at,
            "exp": issued_at + (self._lifetime_s if lives_s is None else lives_s),
            "required_actions": list(required_actions),
            **({"read_only": True} if read_only else {}),
        }
        header = {"typ": TYPE, "alg": ALGORITHM, "kid": self._kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class LocalKeys:
    """auth's own public keys, as `shared.tokens.TokenVerifier` wants them."""

    def __init__(self, jwks: dict[str, Any]) -> None:
        self._keys = KeySet.import_key_set(jwks)  # type: ignore[arg-type]  # its own output

    async def keys(self, *, hurry: bool = False) -> KeySet:
        """The keys; there are never newer ones."""
        del hurry
        return self._keys


def _ed25519(kid: str, seed: bytes) -> OKPKey:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return OKPKey.import_key(private, {"kid": kid, "use": "sig", "alg": ALGORITHM})


class RefreshTokens:
    """Refresh token n of a session is its id, n and their HMAC: the successor needs no storage and never varies."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, session_id: str, number: int) -> str:
        """The session's refresh token `number`, counted from 0."""
        body = UUID(session_id).bytes + number.to_bytes(_COUNTER_BYTES, "big")
        return urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def read(self, token: str) -> tuple[str, int] | None:
        """Session id and number of a token that is ours, else None."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (Base64Error, ValueError):
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(body) != 16 + _COUNTER_BYTES or not hmac.compare_digest(mac, self._mac(body)):
            return None
        return str(UUID(bytes=body[:16])), int.from_bytes(body[16:], "big")

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()


def new_secret() -> str:
    """A random token of 256 bits for a link or a device."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of such a token. It is random in itself, so a plain SHA-256 gives nothing away."""
    return hashlib.sha256(secret.encode()).hexdigest()
