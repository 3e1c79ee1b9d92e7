"""A command as an operator runs it: a process of its own, with the operators' environment and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(operators: Mapping[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m` these arguments."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=_environment(operators),
        cwd=ROOT,
        timeout=60,
        check=False,
    )


@contextmanager
def started(operators: Mapping[str, str], *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The same at a terminal, killed at the end: the process, and the descriptor that shows its screen."""
    screen, terminal = os.openpty()
    command = [sys.executable, "-m", *arguments]
    with (
        open(screen, "rb", buffering=0) as held,
        subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=_environment(operators), cwd=ROOT
        ) as process,
    ):
        os.close(terminal)
        try:
            yield process, held.fileno()
        finally:
            process.kill()


def all_of(screen: int) -> str:
    """What it shows until the process ends."""
    shown = bytearray()
    with suppress(OSError):  # Linux: how a terminal says that nobody writes to it any more
        while piece := os.read(screen, 65536):
            shown += piece
    return shown.decode()


def _environment(operators: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **operators}
