"""`.env`: the settings and secrets of one installation by docker compose."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from deploy.local.environment import PROCESSES, Environments
from deploy.local.ports import Ports
from deploy.local.secrets import KEYS, PASSWORDS, Secrets, new_key, write_private

_SETTING: Final = re.compile(r"#?([A-Z0-9_]+)=")
_VERSION: Final = re.compile(r"(?P<name>.+[/-])(?P<number>[0-9]+):.+")
_AT_REST: Final = "AT_REST_KEYS_"
_PASSWORD: Final = {"kafka": "KAFKA_PASSWORD", "mongo": "MONGO_PASSWORD", "minio": "MINIO_SECRET_KEY"}


def variables(secrets: Secrets) -> dict[str, str]:
    """Every secret as `.env` names and writes it: a password by server and user, a key by setting and owner.

    Which setting a key belongs to, and in what form, is the native stack's to say.
    """
    found = {f"{_PASSWORD[server]}_{_upper(user)}": secrets[f"{server}/{user}"] for server, user in _pairs(PASSWORDS)}
    environments = Environments(Ports(), secrets)
    for setting, value in (pair for service in PROCESSES for pair in environments.of(service).items()):
        for use, owner in _pairs(KEYS):
            if secrets[f"{use}/{owner}"] in value:
                found[f"{setting}_{_upper(owner)}"] = value
    return found


def write(file: Path, example: Path) -> list[str]:
    """Make `file` from `example`, or complete it; answers the names of the secrets that were drawn.

    What `file` says stays: names of the example that it lacks are added, then secrets without a value are drawn.
    Raises LookupError, with nothing written, for a secret that neither file names.
    """
    lines = file.read_text().splitlines() if file.exists() else []
    named = {_name(line) for line in lines}
    lines += [line for line in example.read_text().splitlines() if not named or _name(line) not in named]
    drawn = []
    for name, value in variables(Secrets.drawn()).items():
        if f"{name}=" in lines:
            lines[lines.index(f"{name}=")] += value
            drawn.append(name)
        elif name not in map(_name, lines):
            raise LookupError(f"{name} is missing in {example}")
    write_private(file, "".join(f"{line}\n" for line in lines))
    return drawn


def rotate(file: Path, name: str) -> str:
    """Put a new key before those of the setting; answers its version. The older ones go on opening and verifying.

    Raises LookupError for a setting that holds no versions of a key, or that the file does not name.
    """
    keys = _keys(file, name)
    newest = _VERSION.fullmatch(keys[0])
    assert newest  # noqa: S101 - `_keys` has seen to it
    version = f"{newest['name']}{int(newest['number']) + 1}"
    _put(file, name, [f"{version}:{new_key()}", *keys])
    return version


def retire(file: Path, name: str, in_use: Callable[[str], Collection[str]]) -> int:
    """Leave only the newest key; answers how many went. What was made with those is worthless from then on.

    `in_use` answers the versions under which a service, named by what follows `AT_REST_KEYS_`, may hold something
    sealed. Raises LookupError, with nothing changed, as `rotate` does and for a key at rest that is in use.
    """
    keys = _keys(file, name)
    newest, *older = (key.rpartition(":")[0] for key in keys)
    if older and name.startswith(_AT_REST):
        used = set(in_use(name.removeprefix(_AT_REST).lower()))
        if newest not in used:
            raise LookupError(f"{name}: {newest} is not used yet; `docker compose up -d --wait` comes first")
        if sealing := used.intersection(older):
            raise LookupError(f"{name}: something may still be sealed with {', '.join(sorted(sealing))}; try later")
    _put(file, name, keys[:1])
    return len(older)


def _keys(file: Path, name: str) -> list[str]:
    value = read(file).get(name, "")
    keys = [key.strip() for key in value.split(",")]
    if not all(_VERSION.fullmatch(key) for key in keys):
        raise LookupError(f"{name} is no list of keys in {file}; make env writes what is missing")
    return keys


def _put(file: Path, name: str, keys: Sequence[str]) -> None:
    lines = [f"{name}={','.join(keys)}" if _name(line) == name else line for line in file.read_text().splitlines()]
    write_private(file, "".join(f"{line}\n" for line in lines))


def read(file: Path) -> Mapping[str, str]:
    """The file's values; empty where there is no file."""
    return {name: value for name, value in dotenv_values(file, interpolate=False).items() if value is not None}


def _name(line: str) -> str:
    """What a line sets, also when it is commented out; for any other line what it says."""
    found = _SETTING.match(line)
    return found[1] if found else line


def _pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(left, right) for left, _, right in (name.partition("/") for name in names)]


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
