"""`docker-compose.yml` as read without an engine: parsed, and with the values of an `.env` in their places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import yaml

from deploy.local.paths import ROOT

VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?P<how>:[?-])(?P<rest>[^}]*)\}")
TEXT: Final = (ROOT / "docker-compose.yml").read_text()


def compose(env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file; with `env`, variables are replaced as compose replaces them: in what was parsed."""
    parsed: dict[str, Any] = yaml.safe_load(TEXT)
    return parsed if env is None else _filled(parsed, env)


def services(env: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """What the file starts, by name."""
    found: dict[str, dict[str, Any]] = compose(env)["services"]
    return found


def _filled(part: Any, env: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(value, env) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, env) for value in part]
    return VARIABLE.sub(partial(_value, env), part) if isinstance(part, str) else part


def _value(env: Mapping[str, str], found: re.Match[str]) -> str:
    return env.get(found["name"]) or (found["rest"] if found["how"] == ":-" else "")
