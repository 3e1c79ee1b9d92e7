"""The four servers of one stack, provisioned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pymongo.errors import PyMongoError

from deploy import provision
from deploy.local.environment import Environments
from deploy.local.errors import StackError
from deploy.local.installs import require_room
from deploy.local.ports import Ports
from deploy.local.processes import Processes
from deploy.local.secrets import Secrets
from deploy.local.servers import kafka, mailpit, minio, mongo
from deploy.local.servers.program import Program, Supervised
from deploy.local.tools import Tools

SERVERS: Final = ("kafka", "mongo", "minio", "mailpit")
NEEDED_MIB: Final = 1024
"""Room in the data folder: less makes Kafka and MongoDB fail in ways that explain nothing."""


class Infra:
    """Kafka, MongoDB, MinIO and Mailpit with their data in ``folder``."""

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        tools: Tools,
        processes: Processes,
        *,
        short_lived: bool = False,
        mongo_cache_gb: float = mongo.CACHE_GB,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        require_room(folder, NEEDED_MIB)
        self.ports = ports
        self.folder = folder
        self.secrets = Secrets.kept_in(folder / "secrets.json")
        self.environments = Environments(ports, self.secrets)
        self._tools = tools
        self._processes = processes
        self._short_lived, self._mongo_cache_gb = short_lived, mongo_cache_gb
        self._servers: dict[str, Supervised] = {}

    def start(self) -> None:
        """Start all side by side, then make topics, users and buckets. Raises StackError."""
        for program in self._programs():
            self._servers[program.name] = Supervised(program, self._processes)
            self._servers[program.name].launch()
        for server in self._servers.values():
            server.wait_ready()
        try:
            mongo.initialise(self.ports, self.secrets)
            provision.apply(self.environments.servers())
        except (provision.ProvisioningError, PyMongoError) as error:
            raise StackError(f"the servers run but could not be provisioned: {error}") from error

    def server(self, name: str) -> Supervised:
        """One of ``SERVERS``, to be killed or started again."""
        return self._servers[name]

    def _programs(self) -> Iterator[Program]:
        folder, ports, tools, secrets = self.folder, self.ports, self._tools, self.secrets
        yield mongo.program(folder / "mongo", ports, tools, secrets, cache_gb=self._mongo_cache_gb)
        yield minio.program(folder / "minio", ports, tools, secrets)
        yield mailpit.program(folder / "mailpit", ports, tools)
        # Last: its first preparation takes seconds, in which the others start.
        kafka_folder, short_lived = folder / "kafka", self._short_lived
        yield kafka.program(kafka_folder, ports, tools, self._processes, secrets, short_lived=short_lived)
