"""The echo service on the test's real servers: topics and a database of its own, and a process that may be killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo.database import Database

from shared.events.base import Event
from shared.events.record import to_message
from shared.sealing import Keyring
from tests.shared.echo import Spoken
from tests.stack import RealServers

ROOT = Path(__file__).parents[2]
Wire = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
AT_REST = f"echo/1:{'A' * 43}"


async def until(condition: Callable[[], Awaitable[Any]], what: str, within_s: float = 30.0) -> Any:
    """Poll until `condition` returns something true, and return it; fail saying what never came."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := await condition():
            return found
        await asyncio.sleep(0.05)
    pytest.fail(f"within {within_s} s: {what}")


class Echo:
    """One echo service: `start`, `kill`, `stop`, what it kept and what it published."""

    def __init__(self, infra: RealServers, tmp_path: Path) -> None:
        self.name = f"echo-{uuid4().hex[:8]}"
        self.topic_in, self.topic_out = f"{self.name}-in", f"{self.name}-out"
        self.infra = infra
        self.log = tmp_path / "echo.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url, tz_aware=True)
        self.db: Database[dict[str, Any]] = self.client[self.name]
        self.port = _free_port()

    def kafka(self) -> dict[str, Any]:
        """Arguments of an aiokafka client with the administrator's rights."""
        return {
            "bootstrap_servers": self.infra.kafka_bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": self.infra.admin_kafka[0],
            "sasl_plain_password": self.infra.admin_kafka[1],
        }

    def make_topics(self) -> None:
        admin = AdminClient(
            {
                "bootstrap.servers": self.infra.kafka_bootstrap,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": self.infra.admin_kafka[0],
                "sasl.password": self.infra.admin_kafka[1],
            }
        )
        wanted = [
            NewTopic(self.topic_in, 3, 1),
            NewTopic(self.topic_out, 3, 1),
            NewTopic(f"{self.topic_in}.dead", 1, 1),
        ]
        for made in admin.create_topics(wanted).values():
            made.result(20)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "MONGO_URL": self.infra.mongo_admin_url,
            "MONGO_DATABASE": self.name,
            "KAFKA_BOOTSTRAP_SERVERS": self.infra.kafka_bootstrap,
            "KAFKA_USERNAME": self.infra.admin_kafka[0],
            "KAFKA_PASSWORD": self.infra.admin_kafka[1],
            "AT_REST_KEYS": AT_REST,
            "HTTP_PORT": str(self.port),
            "TOPIC_IN": self.topic_in,
            "TOPIC_OUT": self.topic_out,
        }

    def start(self) -> None:
        self.process = self._launch(self.port)

    def start_another(self) -> None:
        """A second process of the service, which shares the partitions; it ends with the bench."""
        self._others.append(self._launch(_free_port()))

    def _launch(self, port: int) -> subprocess.Popen[bytes]:
        environment = self.environment() | {"HTTP_PORT": str(port)}
        with self.log.open("ab") as log:
            command = [sys.executable, "tests/shared/echo.py"]
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it with -9, wherever it stands."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    async def publish_raw(self, records: list[Wire]) -> list[str]:
        """Send (key, value, headers) as they are; returns where each lies, as `topic-partition-offset`."""
        producer = AIOKafkaProducer(**self.kafka(), acks="all", enable_idempotence=True, linger_ms=5)
        await producer.start()
        try:
            sent = [
                await producer.send(self.topic_in, key=key, value=value, headers=headers)
                for key, value, headers in records
            ]
            placed = await asyncio.gather(*sent)
        finally:
            await producer.stop()
        return [f"{place.topic}-{place.partition}-{place.offset}" for place in placed]

    async def publish(self, events: list[Event[Spoken]]) -> None:
        await self.publish_raw([wire(event) for event in events])

    def effects(self) -> list[dict[str, Any]]:
        return list(self.db["effects"].find().sort("_id", 1))

    async def kept(self, count: int, within_s: float = 30.0) -> list[dict[str, Any]]:
        """The effects, once there are `count`."""

        async def enough() -> bool:
            return self.db["effects"].count_documents({}) >= count

        await until(enough, f"{count} effects", within_s)
        return self.effects()

    async def drained(self, within_s: float = 30.0) -> None:
        """Wait until the outbox is empty."""

        async def empty() -> bool:
            return self.db["outbox"].count_documents({}) == 0

        await until(empty, "an empty outbox", within_s)

    async def behind(self) -> int:
        """Records of the topic that the group has not committed."""
        consumer = AIOKafkaConsumer(**self.kafka(), group_id="echo", enable_auto_commit=False)
        await consumer.start()
        try:
            ends = await consumer.end_offsets([TopicPartition(self.topic_in, number) for number in range(3)])
            return sum([end - (await consumer.committed(partition) or 0) for partition, end in ends.items()])
        finally:
            await consumer.stop()

    async def letter(self, place: str) -> dict[str, Any]:
        """The dead letter of the record at `place`, once it is there."""

        async def there() -> dict[str, Any] | None:
            return self.db["dead_letters"].find_one({"_id": place})

        found: dict[str, Any] = await until(there, f"the dead letter {place}")
        return found

    async def read(self, topic: str, quiet_s: float = 1.5) -> list[Any]:
        """Every record of a topic from its beginning, until nothing came for `quiet_s`."""
        consumer = AIOKafkaConsumer(topic, **self.kafka(), auto_offset_reset="earliest", enable_auto_commit=False)
        await consumer.start()
        found: list[Any] = []
        try:
            while batch := await consumer.getmany(timeout_ms=int(quiet_s * 1000)):
                found += [record for records in batch.values() for record in records]
        finally:
            await consumer.stop()
        return found

    def at_rest(self) -> Keyring:
        return Keyring.from_setting(AT_REST)

    def close(self) -> None:
        for process in filter(None, (self.process, *self._others)):
            process.kill()
            process.wait(10)
        self.client.drop_database(self.name)
        self.client.close()


def wire(event: Event[Spoken]) -> Wire:
    """The record of an event: key, value, headers."""
    message = to_message(event)
    return message.key, message.value, list(message.headers)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
