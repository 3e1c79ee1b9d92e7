"""A service as a process of its own, on the real servers: started, asked, ended or killed."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
import urllib3

ROOT = Path(__file__).parents[1]
T = TypeVar("T")


def until(what: str, found: Callable[[], T | None], within_s: float = 60.0) -> T:
    """Poll until `found` returns something true, and return it; fail saying what never came."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.05)
    pytest.fail(f"within {within_s} s: {what}")


@dataclass
class Service:
    """The process under test, with an environment that stays the same when it is started again."""

    environment: dict[str, str]
    log: Path
    name: str
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.name}"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        until(f"{self.name} ready, see {self.log}", lambda: self.ready()[0] == 200 and self.ready()[1])

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()

    def last_words(self, lines: int = 60) -> str:
        """The end of its log, which has no personal data."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 while nothing listens."""
        url = f"http://127.0.0.1:{self.environment['HTTP_PORT']}{path}"
        try:
            answer = urllib3.request("GET", url, timeout=5.0, retries=False)
        except urllib3.exceptions.HTTPError:
            return 0, ""
        return answer.status, answer.data.decode()

    def ready(self) -> tuple[int, dict[str, str]]:
        """/readyz: the status, and the state of each part."""
        status, body = self.get("/readyz")
        return status, json.loads(body)["parts"] if body else {}
