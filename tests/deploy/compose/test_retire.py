"""`retire` asks the running installation, and takes no silence for a yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.compose import __main__ as command
from deploy.compose import env
from deploy.local.errors import StackError
from deploy.local.paths import ROOT

NAME = "AT_REST_KEYS_AUTH"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose key at rest was rotated."""
    made = tmp_path / ".env"
    env.write(made, ROOT / ".env.example")
    env.rotate(made, NAME)
    monkeypatch.setattr(command, "FILE", made)
    monkeypatch.setenv("PATH", str(tmp_path))
    return made


def docker(file: Path, script: str) -> None:
    """What is found as `docker`; it notes what it was asked."""
    program = file.parent / "docker"
    program.write_text(f'#!/bin/sh\necho "$@" > {file.parent}/asked\n{script}\n')
    program.chmod(0o755)


def kids(file: Path) -> list[str]:
    return [key.partition(":")[0] for key in env.read(file)[NAME].split(",")]


def test_it_asks_the_operators_command_line_of_that_service(file: Path) -> None:
    docker(file, "echo service=auth in_use=auth/2")
    command.retire(NAME)
    assert kids(file) == ["auth/2"]
    assert (file.parent / "asked").read_text() == "compose run --rm --no-deps -T portal keys auth\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo service=auth in_use=auth/1,auth/2", "may still be sealed with auth/1"),
        ("echo service=auth in_use=auth/1", "auth/2 is not used yet"),
        ("echo 'portal: no answer from MongoDB within 15 s' >&2; exit 1", "no answer from MongoDB"),
        ("echo service=auth in_use=auth/2; exit 1", "gave no answer"),
        ("echo hello", "gave no answer"),
        (None, "could not be asked"),
    ],
)
def test_without_a_clear_yes_no_key_goes(file: Path, script: str | None, said: str) -> None:
    if script is not None:
        docker(file, script)
    with pytest.raises(StackError, match=said):
        command.retire(NAME)
    assert kids(file) == ["auth/2", "auth/1"]
