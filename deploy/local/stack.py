"""The whole portal on this machine: one folder, one lock, servers and services."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from deploy.local.errors import StackError
from deploy.local.infra import SERVERS, Infra
from deploy.local.paths import cache_folder
from deploy.local.ports import Ports
from deploy.local.processes import Processes
from deploy.local.progress import progress
from deploy.local.secrets import write_private
from deploy.local.services import Services
from deploy.local.tools import Toolbox

OPERATORS_FILE: Final = "portal.env"
"""What the operators' command line reads; lies in the data folder, as the demo's notes do."""
DEMO_FILE: Final = "demo.json"

_DATA: Final = (*SERVERS, "logs", "secrets.json", OPERATORS_FILE, DEMO_FILE)
_LOCK: Final = "lock"
# What `make run SETTING=value` may change in every service.
_PASSED_ON: Final = (
    "BRAND_NAME", "CENTRE_NAME", "CENTRE_PHONE", "CENTRE_ADDRESS", "BRAND_PRIMARY", "BRAND_LOGO_FILE", "LEGAL_LINKS",
    "SPACES", "LOG_LEVEL", "PASSWORD_MIN_LENGTH",
)  # fmt: skip
_FOR_DEVELOPMENT: Final = {"COMPONENTS_PAGE": "true"}


class Stack:
    """Servers and services that run. Made by ``running``."""

    def __init__(self, infra: Infra, services: Services, processes: Processes) -> None:
        self.infra = infra
        self.services = services
        self._processes = processes

    def watch(self) -> None:
        """Return never; raise StackError as soon as a process died by itself."""
        while True:
            for process in self._processes.children:
                if not process.running:
                    raise process.died()
            time.sleep(0.3)


@contextmanager
def running(folder: Path, ports: Ports) -> Iterator[Stack]:
    """Start everything, wait until it is ready, and stop it all at the end, whatever ends it. Raises StackError."""
    with _alone(folder) as lock, Processes(folder / "logs", hold=[lock.fileno()]) as processes:
        ports.require_free()
        tools = Toolbox(cache_folder(), processes).tools()
        infra = Infra(folder, ports, tools, processes)
        with progress("Starting Kafka, MongoDB, MinIO and Mailpit"):
            infra.start()
        _write_operators_file(infra)
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        services = Services(infra, processes, _FOR_DEVELOPMENT | passed_on)
        try:
            with progress("Starting the five services"):
                services.start()
            yield Stack(infra, services, processes)
        finally:
            services.stop()  # before the servers, so that they finish their work


def clean(folder: Path) -> None:
    """Delete what the stack keeps, and only that. Raises StackError while it runs."""
    if not folder.exists():
        return
    with _alone(folder):
        for name in _DATA:
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _write_operators_file(infra: Infra) -> None:
    lines = [f"{name}={value}\n" for name, value in infra.environments.operators().items()]
    write_private(infra.folder / OPERATORS_FILE, "".join(lines))


@contextmanager
def _alone(folder: Path) -> Iterator[IO[str]]:
    """Hold the folder's lock. The guard of a killed stack holds it too until the last process is gone."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / _LOCK).open("a+")
    except OSError as error:
        raise StackError(
            f"cannot write to {folder}: {error.strerror}. Name another with ESPACE_ASSURE_HOME."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StackError(
                f"the portal is already running from {folder} (process {lock.read().strip() or 'unknown'}). Use that "
                "one, or stop it first: Ctrl-C in its terminal."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock
