"""The portal on servers of its own, with what the measurements share."""

import asyncio
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pymongo
from confluent_kafka import KafkaError, KafkaException, Producer
from pymongo.database import Database

from benchmarks import connect_sink
from deploy.local.infra import Infra
from deploy.local.paths import ROOT, cache_folder
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Process, Processes
from deploy.local.services import Services
from deploy.local.tools import Toolbox
from deploy.simulator.flow import claims
from deploy.simulator.people import enrolled, population
from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens
from shared.clock import now
from shared.events.base import Event
from shared.events.membership import MemberEnrolled
from shared.events.record import Message, to_message
from shared.ids import new_id

SEED = 7
MAX_STREAMS = 2_200
PUBLISHED_WITHIN_S = 120.0
MONGO_CACHE_GB = 3.0
"""As an insurer's server has at least: with half a GB, pages are written out and read again amid each batch."""
_SETTINGS = {
    # The measurements come from many addresses, as behind a proxy: none meets the limits of one.
    "TRUSTED_PROXIES": f"{HOST}/32",
    # Statements are announced when nothing else is measured (`ingestion` measures them).
    "STATEMENT_QUIET_SECONDS": "800",
    "LIVE_MAX_STREAMS": str(MAX_STREAMS),
    "STREAM_MAX_OPEN": str(MAX_STREAMS),
    "HTTP_MAX_CONNECTIONS": str(MAX_STREAMS + 200),
}
"""Of every service; all else is as by default."""
_BARE_LOOP = (sys.executable, "-m", "benchmarks.bare_loop")


class Bench:
    """A running portal without enrolments' mails and letters in its way: claims are what is measured."""

    def __init__(self, infra: Infra, services: Services, processes: Processes) -> None:
        self.infra, self.services, self._processes = infra, services, processes
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            infra.environments.servers().mongo.admin_url
        )
        self.db = self.database("claims")
        self.members: list[MemberEnrolled] = population(SEED, 500)
        self._flow = claims(SEED, self.members)

    def database(self, service: str) -> Database[dict[str, Any]]:
        """What a service has stored."""
        return self._client[service]

    def next_messages(self, count: int) -> list[Message]:
        """The next claims of the simulated flow, as records."""
        return [to_message(event) for event in islice(self._flow, count)]

    def enrolments(self) -> list[Message]:
        """The records that make the members known."""
        events: Sequence[Event[MemberEnrolled]] = enrolled(self.members)
        return [to_message(event) for event in events]

    def token(self, member_number: str) -> str:
        """An access token as auth signs it."""
        auth = self.infra.environments.of("auth")
        signer = AccessTokens(signing_seeds(auth["SIGNING_KEYS"]), issuer=auth["TOKEN_ISSUER"], lifetime_s=3600)
        return signer.issue(
            member_number=member_number, session_id=new_id(), insurer="main", required_actions=[], now=now()
        )

    def gateway_url(self) -> str:
        """The portal's own address."""
        return f"http://{HOST}:{self.infra.ports.gateway}"

    def mark(self, collection: str) -> None:
        """Make the loop's place in the topic its present end."""
        self._processes.run(f"mark-{collection}", [*_BARE_LOOP, collection, "mark"], self._bare_environment(), ROOT)

    def bare_loop(self, collection: str) -> Process:
        """Start the loop without guarantees at the marked place."""
        return self._processes.start(f"bare-{collection}", [*_BARE_LOOP, collection], self._bare_environment(), ROOT)

    def connect_sink(self, collection: str) -> Process:
        """Start Kafka Connect's MongoDB sink at the marked place."""
        return connect_sink.start(collection, self.infra.folder, self._bare_environment(), self._processes)

    def _bare_environment(self) -> dict[str, str]:
        claims = self.infra.environments.of("claims")
        return claims | self.infra.environments.operators() | {"MONGO_URL": claims["MONGO_URL"]}

    def end(self, process: Process) -> None:
        """Stop a loop."""
        process.kill()
        self._processes.ended(process)

    def send(self, message: Message) -> None:
        """Publish now, as the claims payment system would (acks=all, idempotent), and wait for nothing.

        By librdkafka: at 200 a second a producer in Python takes a seventh of the machine, and is not what is measured.
        """
        self._producer.poll(0)
        headers: dict[str, str | bytes | None] = dict(message.headers)
        self._producer.produce(message.topic, message.value, message.key, headers=headers, on_delivery=_delivered)

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish all, and wait until they are acknowledged."""
        for message in messages:
            self.send(message)
        if await asyncio.to_thread(self._producer.flush, PUBLISHED_WITHIN_S):
            raise TimeoutError

    @cached_property
    def _producer(self) -> Producer:
        environment = self.infra.environments.operators()
        return Producer(
            {
                "bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": environment["KAFKA_USERNAME"],
                "sasl.password": environment["KAFKA_PASSWORD"],
                "enable.idempotence": True,
                "log_level": 3,  # errors
                "linger.ms": 0,
                "batch.size": 16_384,  # as Java's and aiokafka's; librdkafka's own is a million
                "queue.buffering.max.messages": 2_000_000,
                "queue.buffering.max.kbytes": 2_000_000,
            }
        )

    def close(self) -> None:
        """Let go of the database and of Kafka."""
        self._client.close()
        self._producer.close()


def _delivered(error: KafkaError | None, _message: object) -> None:
    if error:
        raise KafkaException(error)


@contextmanager
def running() -> Iterator[Bench]:
    """The portal on free ports, in a folder that is deleted afterwards."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for thousands of streams; children inherit it
    folder = Path(tempfile.mkdtemp(prefix="espace-assure-bench-"))
    try:
        with Processes(folder / "logs") as processes:
            tools = Toolbox(cache_folder(), processes).tools()
            infra = Infra(folder, Ports.free(), tools, processes, mongo_cache_gb=MONGO_CACHE_GB)
            infra.start()
            services = Services(infra, processes, _SETTINGS)
            services.start()
            bench = Bench(infra, services, processes)
            try:
                yield bench
            finally:
                bench.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Row = tuple[str, str, str, str]
"""What is measured, us, the limit, the ratio: a line of the printed table."""


def row(name: str, us: float, limit: float, *, decimals: int = 0) -> Row:
    """A line whose ratio is us to the limit."""
    return name, f"{us:,.{decimals}f}", f"{limit:,.{decimals}f}", f"{us / limit:.2f}"


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float, *, every_s: float = 0.005
) -> None:
    """Poll; TimeoutError after `within_s`."""
    async with asyncio.timeout(within_s):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(every_s)


def peak_memory_mib(pid: int) -> float:
    """The largest resident size of a process so far."""
    return _memory_mib(pid, "VmHWM")


def memory_mib(pid: int) -> float:
    """The resident size of a process now."""
    return _memory_mib(pid, "VmRSS")


def _memory_mib(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))
    return kib / 1024


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far (proc(5): fields 14 and 15, after the name in brackets)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
