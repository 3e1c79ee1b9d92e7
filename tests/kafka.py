"""Kafka as tests use it beside the service under test: what others publish to it, what it published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.events.base import Event, EventData
from shared.events.record import Record, parse, to_message
from tests.stack import RealServers

Access = Mapping[str, Any]
"""Keyword arguments of aiokafka's clients."""


def access(bootstrap_servers: str, username: str, password: str) -> Access:
    """As this user."""
    return {
        "bootstrap_servers": bootstrap_servers,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": username,
        "sasl_plain_password": password,
    }


def of_service(environment: Mapping[str, str]) -> Access:
    """As the service or the operators whose environment this is."""
    return access(*(environment[f"KAFKA_{name}"] for name in ("BOOTSTRAP_SERVERS", "USERNAME", "PASSWORD")))


def of_admin(infra: RealServers) -> Access:
    """As the super user."""
    return access(infra.kafka_bootstrap, *infra.admin_kafka)


async def publish(login: Access, events: Sequence[Event[Any]]) -> None:
    """In this order, each acknowledged before the next."""
    producer = AIOKafkaProducer(**login, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for message in map(to_message, events):
            await producer.send_and_wait(
                message.topic, key=message.key, value=message.value, headers=list(message.headers)
            )
    finally:
        await producer.stop()


async def published(login: Access, topic: str, quiet_s: float) -> list[Event[EventData]]:
    """Everything on `topic` so far, once nothing more came for `quiet_s`."""
    consumer = AIOKafkaConsumer(topic, **login, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return await _until_quiet(consumer, quiet_s)
    finally:
        await consumer.stop()


class Tail:
    """What is written to the internal systems' topics from now on: `async with Tail(login) as tail:` …"""

    def __init__(self, login: Access) -> None:
        self._consumer = AIOKafkaConsumer("membership.v1", "claims.v1", "casework.v1", **login)

    async def __aenter__(self) -> Tail:
        await self._consumer.start()
        await self._consumer.seek_to_end()
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def events(self) -> list[Event[EventData]]:
        """All that has come since the last call, once nothing more comes for a second."""
        return await _until_quiet(self._consumer, 1.0)


async def _until_quiet(consumer: AIOKafkaConsumer, quiet_s: float) -> list[Event[EventData]]:
    events = []
    while batch := await consumer.getmany(timeout_ms=int(quiet_s * 1000)):
        for raw in (raw for records in batch.values() for raw in records):
            record = Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers))
            events.append(parse(record, now=datetime.now(UTC)))
    return events
