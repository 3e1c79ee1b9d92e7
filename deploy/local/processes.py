"""Child processes: each in a group of its own, with a log file, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local import guard
from deploy.local.errors import StackError

STOP_S: Final = 15.0
LOG_LINES: Final = 12


class Process:
    """One running child; ``log`` receives its output, the log of its previous life is kept beside it as ``.1``."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def wait(self) -> int:
        """Exit code, once it ended."""
        return self._popen.wait()

    def stop(self, within_s: float = STOP_S) -> None:
        """SIGTERM, a bounded wait, then SIGKILL to the whole group."""
        if self.running:
            self._popen.terminate()
        try:
            self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group, as when the machine loses it."""
        guard.send(self.pid, signal.SIGKILL)
        self._popen.wait()

    def last_lines(self) -> str:
        """The end of the log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:] if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines)

    def died(self) -> StackError:
        """What to tell a person when this process ended by itself."""
        return StackError(
            f"{self.name} ended with exit code {self._popen.returncode}; its last log lines (all of it: {self.log}):\n"
            f"{self.last_lines()}"
        )


class Processes:
    """Starts children and ends them all. Use as a context manager; safe to use from several threads."""

    def __init__(self, logs: Path, *, hold: Sequence[int] = ()) -> None:
        """``hold``: file descriptors (a lock) that stay open until the last child is gone, even after ``kill -9``."""
        self._logs = logs
        self._children: list[Process] = []
        self._lock = threading.Lock()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=hold,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def children(self) -> tuple[Process, ...]:
        """What was started and not ended, oldest first; some may have died."""
        return tuple(self._children)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> Process:
        """Start ``command`` with exactly this environment. Raises StackError when it cannot be executed."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with self._lock, log.open("wb") as output:
            try:
                popen = subprocess.Popen(
                    command,
                    env=dict(environment),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise StackError(f"{name} cannot be started: {command[0]}: {error.strerror}") from error
            process = Process(name, popen, log)
            self._children.append(process)
            self._tell("+", process)
        return process

    def run(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> Process:
        """Start and wait for the end. Raises StackError (from ``died``) when it failed."""
        process = self.start(name, command, environment, folder)
        failed = process.wait() != 0
        self.ended(process)
        if failed:
            raise process.died()
        return process

    def ended(self, process: Process) -> None:
        """Forget a process that was stopped or killed on purpose."""
        with self._lock:
            if process in self._children:
                self._children.remove(process)
                self._tell("-", process)

    def stop(self, *processes: Process) -> None:
        """Stop these side by side: all get SIGTERM at once, one deadline for all."""
        deadline = time.monotonic() + STOP_S
        for process in processes:
            if process.running:
                os.kill(process.pid, signal.SIGTERM)
        for process in processes:
            process.stop(max(0.1, deadline - time.monotonic()))
            self.ended(process)

    def close(self) -> None:
        """Stop what still runs, side by side, then let the guard go."""
        self.stop(*reversed(self.children))
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()

    def _tell(self, sign: str, process: Process) -> None:
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            self._guard.stdin.write(f"{sign}{process.pid}\n".encode())
            self._guard.stdin.flush()
