"""The five services as processes, one of each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from deploy.local.environment import PROCESSES
from deploy.local.infra import Infra
from deploy.local.paths import ROOT
from deploy.local.ports import free_port
from deploy.local.processes import Processes
from deploy.local.servers.program import Program, Supervised, http_ok
from deploy.topology import GATEWAY, SERVICES

_READY_WITHIN_S: Final = 60.0


class Services:
    """Started side by side: each waits for what it needs and says so, none needs another to start."""

    def __init__(self, infra: Infra, processes: Processes, extra: Mapping[str, str] | None = None) -> None:
        """``extra`` goes into every service's environment (brand, log level, shorter delays in tests)."""
        self._infra, self._processes, self._extra = infra, processes, dict(extra or {})
        self._services = {name: Supervised(_program(infra, name, self._extra), processes) for name in PROCESSES}

    def start(self) -> None:
        """Start all and wait until each answers ``/readyz``. Raises StackError naming the one that did not."""
        for service in self._services.values():
            service.launch()
        for service in self._services.values():
            service.wait_ready()

    def one(self, name: str) -> Supervised:
        """A single service, to be stopped, killed or started."""
        return self._services[name]

    def another(self, name: str, extra: Mapping[str, str]) -> Supervised:
        """One more process of a service, on a port of its own; the caller starts and stops it."""
        port = free_port()
        program = _program(self._infra, name, {**self._extra, **extra, "HTTP_PORT": str(port)})
        ready = partial(http_ok, port, "/readyz")
        return Supervised(replace(program, name=f"{name}-{port}", ready=ready), self._processes)

    def stop(self) -> None:
        """Stop those that run: the gateway first, so that nothing is asked of a service that is gone."""
        for names in ((GATEWAY,), SERVICES):
            together = [self._services[name] for name in names if self._services[name].started]
            self._processes.stop(*(service.process for service in together))
            for service in together:
                service.forget()


def _program(infra: Infra, name: str, extra: Mapping[str, str]) -> Program:
    return Program(
        name,
        [sys.executable, "-m", f"services.{name}"],
        partial(http_ok, infra.ports.of(name), "/readyz"),
        {**infra.environments.of(name), **extra},
        ROOT,
        _READY_WITHIN_S,
    )
