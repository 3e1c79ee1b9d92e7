"""How a consumer joins its group and asks for records: where FastStream's own way costs seconds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from pydantic import SecretStr

from shared.consumer import Consumer, Subscription
from shared.kafka import KafkaAccess
from shared.mongo import Mongo
from shared.sealing import Keyring

TOPICS = ("claims.v1", "auth.v1", "documents.v1")


async def handle(_events: object, _tx: object) -> None: ...


@pytest.fixture(name="consumer")
async def _consumer(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Consumer]:
    """Of three topics; a Kafka that answers nobody is not asked."""

    async def connects(_broker: KafkaBroker) -> None: ...

    monkeypatch.setattr(KafkaBroker, "connect", connects)
    access = KafkaAccess(bootstrap_servers="127.0.0.1:1", username="", password=SecretStr(""))
    mongo = Mongo("mongodb://127.0.0.1:1", "none")
    yield Consumer("echo", access, mongo, Keyring("echo", {}), [Subscription(topic, handle) for topic in TOPICS])
    await mongo.stop()


async def test_all_topics_are_joined_at_once(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    together = asyncio.Barrier(len(TOPICS))

    async def joins(_subscriber: object) -> None:
        async with asyncio.timeout(5):
            await together.wait()

    monkeypatch.setattr(BatchSubscriber, "start", joins)
    await consumer.start()
    await consumer.stop()


async def test_one_that_cannot_join_is_an_error_and_nobody_else_goes_on(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[str] = []

    async def joins(subscriber: Any) -> None:
        if subscriber.topic_names == [TOPICS[1]]:
            raise ConnectionRefusedError
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            given_up.extend(subscriber.topic_names)
            raise

    monkeypatch.setattr(BatchSubscriber, "start", joins)
    with pytest.raises(ConnectionRefusedError):
        await consumer.start()
    assert given_up == [TOPICS[0], TOPICS[2]]


async def test_a_look_that_finds_nothing_is_followed_by_the_next_at_once(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Empty:
        async def getmany(self, **_how: int) -> dict[object, object]:
            return {}

    async def joins(_subscriber: object) -> None: ...

    async def sleeps(_seconds: float) -> None:
        raise AssertionError

    monkeypatch.setattr(BatchSubscriber, "start", joins)
    await consumer.start()
    with monkeypatch.context() as patched:
        patched.setattr(anyio, "sleep", sleeps)
        assert await consumer._subscribers[TOPICS[0]].get_msg(Empty()) == ()
    await consumer.stop()
