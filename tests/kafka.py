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
    events = []
    try:
        while batch := await consumer.getmany(timeout_ms=int(quiet_s * 1000)):
            for raw in (raw for records in batch.values() for raw in records):
                record = Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers))
                events.append(parse(record, now=datetime.now(UTC)))
    finally:
        await consumer.stop()
    return events
