"""What `docs/security/identity.md` says is so: each test that it names exists, each requirement has one state."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/security/identity.md").read_text(encoding="utf-8")
NAME = r"`(tests/[\w/]+\.py)::(test_\w+)`"
NAMED = sorted(set(re.findall(NAME, DOCUMENT)))
"""(file, name) of each test."""


@cache
def _defined(file: str) -> set[str]:
    """The functions that a file of tests defines; none if it does not exist."""
    path = ROOT / file
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_every_test_it_names_exists() -> None:
    assert len(NAMED) > 50
    assert [f"{file}::{name}" for file, name in NAMED if name not in _defined(file)] == []


def test_every_name_of_a_test_is_looked_for() -> None:
    assert DOCUMENT.count("::") == len(re.findall(NAME, DOCUMENT))


def test_every_requirement_stands_once_in_order_with_one_of_four_states() -> None:
    rows = re.findall(r"^\| (\d+)\.(\d+)\.(\d+) \| ([12]) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", DOCUMENT, re.MULTILINE)
    numbers = [tuple(map(int, row[:3])) for row in rows]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == len(re.findall(r"^\| \d+\.\d+\.\d+ ", DOCUMENT, re.MULTILINE)) == 60
    assert {row[4] for row in rows} == {"met", "partly", "not yet", "not applicable"}
