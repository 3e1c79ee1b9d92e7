"""Events of internal systems on their way to Kafka: acknowledged by all replicas, never doubled, bounded in number."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.events.base import Event, EventData
from shared.events.record import to_message
from shared.kafka import KafkaAccess


class BrokerUnreachable(Exception):
    """Kafka did not take the event, or not in time; whether it arrived is unknown: publish it again, same id."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where Kafka put an event."""

    topic: str
    partition: int
    offset: int


class Publisher:
    """`async with Publisher(access) as publisher:` … leaving waits until Kafka has everything.

    One task at a time may publish. `timeout_s` bounds each wait for Kafka.
    """

    def __init__(self, access: KafkaAccess, *, max_in_flight: int = 1000, timeout_s: float = 15.0) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(max_in_flight)
        self._under_way: set[asyncio.Future[Any]] = set()
        self._failure: BaseException | None = None
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters of it reaches the caller as an error
        self._producer = self._access.producer("portal")
        try:
            async with self._in_time():
                await self._producer.start()
        except BrokerUnreachable:
            await self._stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self._stop()

    async def send(self, event: Event[EventData]) -> Published:
        """Publish one event and wait for its place. Raises BrokerUnreachable."""
        async with self._in_time():
            metadata = await (await self._hand_over(event))
        return Published(metadata.topic, metadata.partition, metadata.offset)

    async def publish(self, event: Event[EventData]) -> None:
        """Hand an event over; waits only while too many are under way.

        Raises BrokerUnreachable, also for an earlier event.
        """
        async with self._in_time():
            await self._free.acquire()
            try:
                future = await self._hand_over(event)
            except BaseException:
                self._free.release()
                raise
        self._under_way.add(future)
        future.add_done_callback(self._arrived)

    async def flush(self) -> None:
        """Wait until Kafka has all. Raises BrokerUnreachable."""
        if self._under_way:
            async with self._in_time():
                await asyncio.wait(self._under_way)
        self._raise_failure()

    async def _hand_over(self, event: Event[EventData]) -> asyncio.Future[Any]:
        self._raise_failure()
        if self._producer is None:
            raise RuntimeError("the publisher is not open")
        message = to_message(event)
        future: asyncio.Future[Any] = await self._producer.send(
            message.topic, message.value, key=message.key, headers=list(message.headers)
        )
        return future

    def _arrived(self, future: asyncio.Future[Any]) -> None:
        self._under_way.discard(future)
        self._free.release()
        if not future.cancelled():
            self._failure = self._failure or future.exception()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise BrokerUnreachable(_said(self._failure)) from None

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError:
            raise BrokerUnreachable(f"no answer from Kafka within {self._timeout_s:g} s") from None
        except KafkaError as error:
            raise BrokerUnreachable(_said(error)) from None

    async def _stop(self) -> None:
        if self._producer is not None:
            stopping = asyncio.ensure_future(self._producer.stop())
            await asyncio.wait([stopping], timeout=self._timeout_s)
            stopping.cancel()


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
