"""What every program of the stack has in common: it is started, waited for, and may be killed and started again."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.processes import Process, Processes

_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


def base_environment() -> dict[str, str]:
    """The few variables every program gets; its settings come on top, nothing else leaks in."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"PATH": os.defpath, "HOME": str(Path.home()), **inherited}


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program and how to see that it is ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    ready_within_s: float = 60.0


class Supervised:
    """A program together with its running process, if any."""

    def __init__(self, program: Program, processes: Processes) -> None:
        self.program = program
        self._processes = processes
        self._process: Process | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def started(self) -> bool:
        """Whether it was started and neither stopped nor killed since; it may have died by itself."""
        return self._process is not None

    @property
    def process(self) -> Process:
        """The running (or just died) process. Raises LookupError when it was never started, or stopped."""
        if self._process is None:
            raise LookupError(f"{self.name} is not started")
        return self._process

    def launch(self) -> None:
        """Start without waiting."""
        program = self.program
        environment = {**base_environment(), **program.environment}
        self._process = self._processes.start(program.name, program.command, environment, program.folder)

    def wait_ready(self) -> None:
        """Return once it is ready. Raises StackError when it died or took too long."""
        deadline = time.monotonic() + self.program.ready_within_s
        while not self.program.ready():
            if not self.process.running:
                raise self.process.died()
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name} runs but was not ready within {self.program.ready_within_s:.0f} s; "
                    f"its last log lines (all of it: {self.process.log}):\n{self.process.last_lines()}"
                )
            time.sleep(0.05)

    def start(self) -> None:
        """Start and wait until ready."""
        self.launch()
        self.wait_ready()

    def kill(self) -> None:
        """SIGKILL, as when the machine loses it; ``start`` brings it back with its data."""
        self.process.kill()
        self.forget()

    def stop(self) -> None:
        """A clean stop."""
        self._processes.stop(self.process)
        self.forget()

    def forget(self) -> None:
        """Take note that the process ended on purpose."""
        self._processes.ended(self.process)
        self._process = None


def http_ok(port: int, path: str) -> bool:
    """Whether GET answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
