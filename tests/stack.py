"""What tests see of the real servers and of the running portal."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deploy.local.environment import Environments
from deploy.local.infra import Infra
from deploy.local.paths import cache_folder
from deploy.local.ports import HOST, Ports, free_port
from deploy.local.processes import Processes
from deploy.local.servers.program import Supervised
from deploy.local.services import Services
from deploy.local.tools import Toolbox
from deploy.provision import Servers


class RealServers:
    """Kafka, MongoDB, MinIO and Mailpit, provisioned, on ports of their own. The fixture ``infra``."""

    def __init__(self, infra: Infra, processes: Processes) -> None:
        self.stack = infra
        self.processes = processes

    @property
    def kafka_bootstrap(self) -> str:
        return self.servers.kafka.bootstrap

    @property
    def admin_kafka(self) -> tuple[str, str]:
        """User name and password of Kafka's super user."""
        return self.servers.kafka.username, self.servers.kafka.password

    @property
    def mongo_admin_url(self) -> str:
        return self.servers.mongo.admin_url

    @property
    def minio_endpoint(self) -> str:
        """host:port"""
        return self.servers.minio.endpoint

    @property
    def mailpit_url(self) -> str:
        """Its pages and its API (``/api/v1/messages``)."""
        return f"http://{HOST}:{self.stack.ports.mail_reader}"

    @property
    def data_dir(self) -> Path:
        """``logs/<process>.log`` and the servers' data."""
        return self.stack.folder

    @property
    def servers(self) -> Servers:
        """Addresses and administrators, as provisioning takes them."""
        return self.stack.environments.servers()

    def environment(self, service: str) -> dict[str, str]:
        """A complete environment for a service that the test runs itself, with a fresh HTTP_PORT at each call."""
        ports = replace(self.stack.ports, **{service: free_port()})
        return Environments(ports, self.stack.secrets).of(service)

    def operators(self) -> dict[str, str]:
        """The environment of the operators' command line and the simulator (principal ``portal``)."""
        return self.stack.environments.operators()

    def process(self, name: str) -> Supervised:
        """``kafka``, ``mongo``, ``minio`` or ``mailpit``: ``kill()`` and ``start()`` (returns when ready)."""
        return self.stack.server(name)


class RunningPortal:
    """The five services on the real servers. The fixture ``portal``."""

    def __init__(self, infra: RealServers, extra: Mapping[str, str] | None = None) -> None:
        self.infra = infra
        self._services = Services(infra.stack, infra.processes, extra)

    @property
    def gateway_url(self) -> str:
        """The portal's public origin."""
        return self.infra.stack.environments.portal_url

    def url(self, service: str) -> str:
        """A service's own HTTP address."""
        return f"http://{HOST}:{self._ports.of(service)}"

    def start_all(self) -> None:
        self._services.start()

    def stop_all(self) -> None:
        self._services.stop()

    def start(self, service: str) -> None:
        """Start and wait until ready."""
        self._services.one(service).start()

    def stop(self, service: str) -> None:
        """SIGTERM, and SIGKILL if that takes too long."""
        self._services.one(service).stop()

    def kill(self, service: str) -> None:
        """SIGKILL."""
        self._services.one(service).kill()

    def restart(self, service: str) -> None:
        """A clean stop and a start."""
        self.stop(service)
        self.start(service)

    def pid(self, service: str) -> int:
        return self._services.one(service).process.pid

    def log(self, service: str) -> str:
        """What the service has logged since its last start."""
        return self._services.one(service).process.log.read_text()

    @property
    def _ports(self) -> Ports:
        return self.infra.stack.ports


@contextmanager
def real_servers() -> Iterator[RealServers]:
    """Servers of one's own. KEEP_TEST_DATA=1 keeps data and logs, and says where."""
    folder = Path(tempfile.mkdtemp(prefix="espace-assure-tests-"))
    try:
        with Processes(folder / "logs") as processes:
            tools = Toolbox(cache_folder(), processes).tools()
            servers = Infra(folder, Ports.free(), tools, processes, short_lived=True)
            servers.start()
            yield RealServers(servers, processes)
    finally:
        if os.environ.get("KEEP_TEST_DATA"):
            print(f"\nTest data kept in {folder}")  # noqa: T201 - asked for
        else:
            shutil.rmtree(folder, ignore_errors=True)
