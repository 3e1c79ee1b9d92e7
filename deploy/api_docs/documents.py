"""Where the documents lie, and their text."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from deploy.api_docs import asyncapi, openapi

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _openapi() -> str:
    return json.dumps(openapi.document(), ensure_ascii=False, indent=1) + "\n"


def _asyncapi() -> str:
    return yaml.safe_dump(asyncapi.document(), allow_unicode=True, sort_keys=False, width=120)


DOCUMENTS: Mapping[Path, Callable[[], str]] = {DOCS / "openapi.json": _openapi, DOCS / "asyncapi.yaml": _asyncapi}
"""Each document's file and the function that makes its text."""
