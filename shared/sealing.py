"""Sealing: secrets inside events, and personal data at rest.

Both are JWE compact strings (RFC 7516): `alg` dir, `enc` A256GCM, `kid` = "<audience>/<version>". The protected header
also holds where the secret belongs, so that no token opens anywhere else:
- in an event: `ce_id` (the event's id) and `field` (the field's name);
- at rest: `context` (what the caller says it is, for instance a collection and an id).

Errors and reprs carry neither plaintexts nor keys nor tokens.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final, Self

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import GuestProtocol, OctKey
from joserfc.registry import HeaderParameter

_ENTRY = re.compile(r"(?P<kid>(?P<audience>[a-z][a-z0-9-]*)/[1-9][0-9]*):(?P<key>[A-Za-z0-9_-]{43}=?)")
_MAX_HEADER_BASE64: Final = 2048
_MAX_CIPHERTEXT_BASE64: Final = 4 * 1024 * 1024  # a dead letter holds a whole Kafka record: 1 MiB by default
_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}
_PLACES: Final = {"ce_id": "Event id", "field": "Field of the event", "context": "Place at rest"}


class SealingError(Exception):
    """
    SealingError
    ├── InvalidKeys   the setting is not a list of keys
    ├── UnknownKey    sealed with a key that this ring does not hold
    └── Tampered      not a token, changed, or sealed for another place
    """


class InvalidKeys(SealingError, ValueError): ...


class UnknownKey(SealingError): ...


class Tampered(SealingError): ...


class Keyring:
    """The keys of one audience: the first seals, all open. Safe to share between threads."""

    def __init__(self, audience: str, keys: Mapping[str, bytes]) -> None:
        self.audience = audience
        self._keys = {kid: OctKey.import_key(key) for kid, key in keys.items()}
        self.kids: Final = tuple(keys)
        """The newest first."""

    @classmethod
    def from_setting(cls, text: str) -> Self:
        """From `<audience>/<version>:<base64url of 32 bytes>[,older…]`. Raises InvalidKeys."""
        entries = [_ENTRY.fullmatch(part.strip()) for part in text.split(",")]
        keys: dict[str, bytes] = {}
        audiences: set[str] = set()
        for position, entry in enumerate(entries, start=1):
            if entry is None:
                raise InvalidKeys(f"key {position} should be <audience>/<version>:<base64url of 32 bytes>")
            if entry["kid"] in keys:
                raise InvalidKeys(f"key {position} repeats a version")
            keys[entry["kid"]] = urlsafe_b64decode(entry["key"].rstrip("=") + "=")
            audiences.add(entry["audience"])
        if len(audiences) > 1:
            raise InvalidKeys("all keys should be of one audience")
        return cls(audiences.pop(), keys)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.kids)})"

    @property
    def newest(self) -> str:
        """The kid of the key that seals."""
        return self.kids[0]

    def seal(self, plaintext: str, *, event_id: str, field: str) -> str:
        """The token to put in the field `field` of the event `event_id`."""
        return self._encrypt(plaintext.encode(), {"ce_id": event_id, "field": field})

    def open(self, token: str, *, event_id: str, field: str) -> str:
        """The plaintext of that field. Raises UnknownKey, Tampered."""
        return self._decrypt(token, {"ce_id": event_id, "field": field}).decode()

    def seal_at_rest(self, plaintext: bytes | str, *, context: str) -> str:
        """The token to store at the place that `context` names (up to 512 characters)."""
        return self._encrypt(plaintext.encode() if isinstance(plaintext, str) else plaintext, {"context": context})

    def open_at_rest(self, token: str, *, context: str) -> bytes:
        """What was stored there. Raises UnknownKey, Tampered."""
        return self._decrypt(token, {"context": context})

    def sealed_again(self, token: str) -> str:
        """The secret of a token at rest with the newest key, for the same place. Raises UnknownKey, Tampered."""
        header = _header(token)
        if header is None or "context" not in header:
            raise Tampered("not a token at rest")
        place = {"context": str(header["context"])}
        return self._encrypt(self._decrypt(token, place), place)

    def _encrypt(self, plaintext: bytes, place: Mapping[str, str]) -> str:
        header = {**_HEADER, "kid": self.newest, **place}
        return jwe.encrypt_compact(header, plaintext, self._keys[self.newest], registry=_REGISTRY)

    def _decrypt(self, token: str, place: Mapping[str, str]) -> bytes:
        try:
            opened = jwe.decrypt_compact(token, self._key_of, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Tampered("not a token sealed for this audience, or changed") from None
        bound = {name: opened.protected.get(name) for name in _PLACES}
        if {name: value for name, value in bound.items() if value is not None} != place or opened.plaintext is None:
            raise Tampered("sealed for another place")
        return opened.plaintext

    def _key_of(self, token: GuestProtocol) -> OctKey:
        key = self._keys.get(str(token.headers().get("kid")))
        if key is None:
            raise UnknownKey(f"sealed with a key that the ring {self.audience} does not hold")
        return key


def kid_at_rest(text: str) -> str | None:
    """With which key `text` was sealed at rest; None if it was not."""
    header = _header(text) if text.startswith(SEALED) else None
    return str(header["kid"]) if header and "context" in header else None


def beginning_at_rest(kid: str) -> str:
    """How everything begins that was sealed at rest with this key, as far as whole base64 groups go."""
    return _beginning({**_HEADER, "kid": kid, "context": ""}, '"}')


def _beginning(header: Mapping[str, str], end: str) -> str:
    """The base64 of a header without its `end`, cut to whole groups: what comes after cannot change those."""
    text = json.dumps(header, separators=(",", ":")).removesuffix(end).encode()
    return urlsafe_b64encode(text[: len(text) // 3 * 3]).decode()


SEALED: Final = _beginning({**_HEADER, "kid": ""}, '"}')
"""How every token begins, in an event or at rest, whatever its key."""


def _header(token: str) -> dict[str, object] | None:
    try:
        part = token.partition(".")[0]
        header = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) and "kid" in header else None


def _registry() -> JWERegistry:
    places = {name: HeaderParameter(meaning, "str") for name, meaning in _PLACES.items()}
    registry = JWERegistry(header_registry=places, algorithms=["dir", "A256GCM"])
    registry.max_protected_header_length = _MAX_HEADER_BASE64
    registry.max_ciphertext_length = _MAX_CIPHERTEXT_BASE64
    return registry


_REGISTRY: Final = _registry()
