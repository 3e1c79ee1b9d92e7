"""Reading what the services publish, as any internal system may: with the principal ``portal``, leaving no trace."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from deploy.local.errors import StackError
from shared import clock
from shared.events.base import Event, EventData
from shared.events.record import InvalidRecord, Record, parse

_TIMEOUT_S = 10.0


def follow(
    environment: Mapping[str, str], topics: Sequence[str], positions: MutableMapping[str, int], within_s: float
) -> Iterator[Event[EventData] | None]:
    """The topics' events from ``positions`` on ("topic/partition" → next offset; kept up to date), else from the first.

    Yields None each time everything present was given; ends after ``within_s`` seconds. Raises StackError.
    """
    consumer = Consumer(_settings(environment))
    try:
        partitions = [place for topic in topics for place in _places(consumer, topic, positions)]
        consumer.assign(partitions)
        yield from _read(consumer, {_key(place) for place in partitions}, positions, time.monotonic() + within_s)
    except KafkaException as error:
        raise StackError(f"Kafka does not let us read {', '.join(topics)}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _read(
    consumer: Consumer, behind: set[str], positions: MutableMapping[str, int], deadline: float
) -> Iterator[Event[EventData] | None]:
    while time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None:
            continue
        place = f"{message.topic()}/{message.partition()}"
        failure = message.error()
        if failure is None:
            positions[place] = (message.offset() or 0) + 1
            event = _event(message)
            if event is not None:
                yield event
        elif failure.code() == KafkaError._PARTITION_EOF:
            behind.discard(place)
            if not behind:
                yield None
        else:
            raise KafkaException(failure)


def _places(consumer: Consumer, topic: str, positions: Mapping[str, int]) -> list[TopicPartition]:
    found = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
    places = [TopicPartition(topic, partition) for partition in found]
    for place in places:
        place.offset = positions.get(_key(place), OFFSET_BEGINNING)
    return places


def _key(place: TopicPartition) -> str:
    return f"{place.topic}/{place.partition}"


def _event(message: KafkaMessage) -> Event[EventData] | None:
    record = Record(
        topic=str(message.topic()),
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=tuple((str(name), _bytes(value)) for name, value in _headers(message)),
    )
    try:
        return parse(record, now=clock.now())
    except InvalidRecord:
        return None  # somebody's mistake is theirs to see, in the dead letters


def _headers(message: KafkaMessage) -> list[tuple[str, str | bytes | None]]:
    headers: Any = message.headers()  # annotated as what may be sent, wider than what is received
    return list(headers or ())


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _settings(environment: Mapping[str, str]) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": environment["KAFKA_USERNAME"],
        "sasl.password": environment["KAFKA_PASSWORD"],
        "group.id": "portal-demo",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "log_level": 0,
    }
