"""Where the native stack keeps its tools and its data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout: services are started from here."""

_NAME: Final = "espace-assure"


def cache_folder() -> Path:
    """Installed tools; may be deleted at any time, the next run installs them again."""
    return _base("XDG_CACHE_HOME", ".cache") / _NAME


def data_folder() -> Path:
    """What ``make run`` keeps between runs; ``ESPACE_ASSURE_HOME`` names another folder."""
    chosen = os.environ.get("ESPACE_ASSURE_HOME")
    return Path(chosen).expanduser().absolute() if chosen else _base("XDG_STATE_HOME", ".local/state") / _NAME


def _base(variable: str, default: str) -> Path:
    # The XDG specification: an unset, empty or relative value means the default.
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default
