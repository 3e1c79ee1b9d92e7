"""Passwords and keys of one native stack: generated once, kept beside its data, readable by their owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError
from deploy.topology import ACCOUNTS, GATEWAY, KAFKA_ADMIN, MONGO_USERS, PRINCIPALS, SERVICES

KAFKA_BROKER: Final = "broker"
"""The broker's own user, towards itself and its controller."""

MINIO_ROOT: Final = "root-admin"

PASSWORDS: Final = (
    *(f"kafka/{name}" for name in (KAFKA_BROKER, KAFKA_ADMIN, *(principal.name for principal in PRINCIPALS))),
    *(f"mongo/{name}" for name in ("root", "keyfile", *MONGO_USERS)),
    *(f"minio/{name}" for name in (MINIO_ROOT, *(account.name for account in ACCOUNTS))),
)
KEYS: Final = (
    *(f"at-rest/{service}" for service in SERVICES),
    "sealing/notifications",
    "signing/auth",
    "lookup/auth",
    "refresh/auth",
    "altcha/auth",
    f"cookie/{GATEWAY}",
)


class Secrets:
    """Every secret by name: passwords (32 URL-safe characters) and keys (32 bytes, base64url)."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __repr__(self) -> str:
        return f"Secrets({len(self._values)} values)"

    @classmethod
    def drawn(cls) -> Secrets:
        """New ones."""
        return cls({name: _password() for name in PASSWORDS} | {name: new_key() for name in KEYS})

    @classmethod
    def kept_in(cls, file: Path) -> Secrets:
        """Those of the file; what is missing there is generated and kept. Raises StackError for a damaged file."""
        known: dict[str, str] = {}
        if file.exists():
            try:
                known = json.loads(file.read_text())
            except ValueError as error:
                raise StackError(f"{file} is damaged; `make clean-data` starts afresh") from error
        values = {name: known.get(name) or new for name, new in cls.drawn()._values.items()}
        if values != known:
            write_private(file, json.dumps(values, indent=1))
        return cls(values)


def write_private(file: Path, text: str) -> None:
    """Replace the file in one step; only its owner may read it."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    part.replace(file)


def _password() -> str:
    return secrets.token_urlsafe(24)


def new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
