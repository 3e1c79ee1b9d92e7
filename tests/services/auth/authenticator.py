"""An authenticator in software, as a device answers WebAuthn's options: ES256, attestation « none »."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, HAS_CREDENTIAL = 1, 4, 8, 16, 64


@dataclass
class Authenticator:
    """One passkey. `verifies`: it asks who holds it. `counts`: its counter goes up; those of synced ones stay 0."""

    origin: str
    rp_id: str = "localhost"
    verifies: bool = True
    backed_up: bool = False
    counts: bool = True
    counter: int = 0
    user_handle: str = ""
    cross_origin: bool = False
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def id(self) -> str:
        """The credential's id as it goes over the wire."""
        return bytes_to_base64url(self.credential_id)

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to creation options."""
        self.user_handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public_key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        length = len(self.credential_id).to_bytes(2, "big")
        credential = bytes(16) + length + self.credential_id + cbor2.dumps(public_key)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(HAS_CREDENTIAL) + credential}
        response = {
            "clientDataJSON": bytes_to_base64url(self._client_data("webauthn.create", options["challenge"])),
            "attestationObject": bytes_to_base64url(cbor2.dumps(attested)),
            "transports": ["internal"],
        }
        return self._credential(response)

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to request options."""
        client_data, data = self._client_data("webauthn.get", options["challenge"]), self._data()
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": bytes_to_base64url(client_data),
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": self.user_handle,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"id": self.id, "rawId": self.id, "type": "public-key", "response": response}

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(told).encode()

    def _data(self, more: int = 0) -> bytes:
        self.counter += self.counts
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        flags |= BACKUP_ELIGIBLE | BACKED_UP if self.backed_up else 0
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
