"""Events in, one way for all services: batches, one transaction each, an inbox, dead letters, explicit commits.

FastStream's acknowledgement policies pass over failed batches or spin on them, so every subscriber is MANUAL with a
parser that never raises; asking for records, retrying, halving and committing are ours.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.security import SASLPlaintext
from prometheus_client import Gauge
from pymongo import IndexModel
from pymongo.errors import PyMongoError

from shared import dead_letters, inbox
from shared.applier import Applier, Stopped
from shared.dead_letters import DeadLetters
from shared.errors import Unavailable
from shared.events.base import Event, EventData
from shared.events.record import Record
from shared.intake import Intake
from shared.kafka import KafkaAccess
from shared.lanes import Lanes
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction
from shared.offsets import Offsets
from shared.sealing import Keyring

COMMIT_EVERY_S = 0.2
"""Offsets are committed by and by: nobody waits for it, and what is delivered again is absorbed by the inbox."""
HAND_OVER_WITHIN_S = 3.0
"""How long a rebalance waits for the batches under way; less than the session's time-out."""
REPLAY_POLL_S = 2.0
SESSION_TIMEOUT_MS = 6_000
"""After which the partitions of a killed consumer go to the others: Kafka's lowest."""

STOPPED = Gauge("espace_consumer_stopped", "1 once errors that nobody foresaw stopped this consumer.", ["topic"])

Handler = Callable[[Sequence[Event[EventData]], Transaction], Awaitable[None]]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic and what is done with it: `handle` gets a batch in record order and may be called again with it.

    Without `has_inbox` it may be called with an event long after that was applied: it has to change nothing then.
    `lanes`: transactions side by side, so that one is computed while another waits for the database; a partition's
    records, and so a member's, are always in one of them.
    """

    topic: str
    handle: Handler
    max_records: int = 500
    has_inbox: bool = True
    lanes: int = 1


def collections(inbox_days: int) -> Mapping[str, Sequence[IndexModel]]:
    """The collections that a consuming service has besides its own."""
    return {**inbox.collections(inbox_days), **dead_letters.collections()}


class Consumer:
    """All the subscriptions of a service. More processes in the group (= the service's name) share the partitions."""

    name = "consumer"
    required = False

    def __init__(
        self,
        service: str,
        access: KafkaAccess,
        mongo: Mongo,
        at_rest: Keyring,
        subscriptions: Sequence[Subscription],
    ) -> None:
        self._service, self._access, self._mongo = service, access, mongo
        self._letters = DeadLetters(service, mongo, at_rest)
        self._appliers = {
            s.topic: Applier(s.topic, s.handle, mongo, self._letters, has_inbox=s.has_inbox) for s in subscriptions
        }
        self._subscriptions = list(subscriptions)
        self._lanes = {s.topic: Lanes(s.lanes, s.max_records, partial(self._apply, s.topic)) for s in subscriptions}
        self._broker: KafkaBroker | None = None
        self._subscribers: dict[str, Any] = {}
        self._offsets = {s.topic: self._offsets_of(s.topic) for s in subscriptions}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect and join the group; an error means that Kafka is away."""
        broker = self._new_broker()
        for subscription in self._subscriptions:
            self._subscribe(broker, subscription)
        try:
            await broker.connect()
            # `broker.start` takes one after the other: each that joins later is one more rebalance, seconds, for all.
            await _all_at_once([subscriber.start() for subscriber in self._subscribers.values()])
        except BaseException:
            await broker.stop()
            raise
        self._broker = broker
        self._tasks = [
            asyncio.create_task(self._replay_loop(), name="replays"),
            asyncio.create_task(self._commit_loop(), name="commits"),
        ]

    async def stop(self) -> None:
        """Let the batches under way finish or, if they wait for a database, give them up uncommitted."""
        for applier in self._appliers.values():
            applier.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(lanes.close() for lanes in self._lanes.values()), return_exceptions=True)
        if self._broker:
            await self._commit()
            await self._broker.stop()

    async def state(self) -> str:
        """`ok`, or which topic stands and why."""
        for topic, applier in self._appliers.items():
            if applier.trouble:
                return f"{topic}: {applier.trouble}"
            if self._kafka_consumer(topic) is None:
                return f"{topic}: not connected"
            self._offsets[topic].measure_lag()
        return "ok"

    def _kafka_consumer(self, topic: str) -> Any:
        return getattr(self._subscribers.get(topic), "consumer", None)

    def _offsets_of(self, topic: str) -> Offsets:
        settle = partial(self._lanes[topic].settle, HAND_OVER_WITHIN_S)
        return Offsets(topic, partial(self._kafka_consumer, topic), settle)

    def _new_broker(self) -> KafkaBroker:
        return KafkaBroker(
            self._access.bootstrap_servers,
            security=SASLPlaintext(self._access.username, self._access.password.get_secret_value()),
            client_id=f"{self._service}-consumer",
            apply_types=False,
            consumer_only=True,
            allow_auto_create_topics=False,
            graceful_timeout=15.0,
            logger=None,
        )

    def _subscribe(self, broker: KafkaBroker, subscription: Subscription) -> None:
        async def parse(raw: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
            return KafkaMessage(body=b"", raw_message=raw, headers={}, consumer=cast("Any", subscriber.consumer))

        async def decode(message: KafkaMessage) -> Any:
            return message.raw_message

        subscriber = broker.subscriber(
            subscription.topic,
            batch=True,
            group_id=self._service,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            parser=parse,
            decoder=decode,
            listener=self._offsets[subscription.topic],
        )

        lanes, offsets = self._lanes[subscription.topic], self._offsets[subscription.topic]
        intake = Intake(lanes, offsets, subscription.max_records, at_once=subscription.max_records * subscription.lanes)

        async def consume(raw: tuple[ConsumerRecord[bytes, bytes], ...]) -> None:
            await intake.take(subscriber.consumer, raw)

        subscriber(consume)
        subscriber.get_msg = intake.next  # type: ignore[method-assign]
        self._subscribers[subscription.topic] = subscriber

    async def _apply(self, topic: str, batch: Sequence[Record]) -> bool:
        """Apply one batch of one lane; false where nothing after it may be read, and nothing of it is committed."""
        try:
            await self._appliers[topic].apply(batch)
        except Stopped as stopped:
            if stopped.alarming:
                STOPPED.labels(topic).set(1)
            consumer = self._kafka_consumer(topic)
            consumer.pause(*consumer.assignment())
            return False
        self._offsets[topic].note(batch)
        return True

    async def _commit_loop(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            await self._commit()

    async def _commit(self) -> None:
        for offsets in self._offsets.values():
            await offsets.commit()

    async def _replay_loop(self) -> None:
        while True:
            await asyncio.sleep(REPLAY_POLL_S)
            try:
                for key, record in await self._letters.asked_again():
                    applier = self._appliers.get(record.topic)
                    reason = await applier.replay(record) if applier else "topic_not_read"
                    await self._letters.settle(key, reason)
                    log.info("dead_letter_replayed", key=key, applied=reason is None)
            except Stopped:
                return
            except (PyMongoError, Unavailable) as error:
                log.warning("replays_wait", error=type(error).__name__)


async def _all_at_once(starts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Return when all have ended well; raises the first error, once the others are given up."""
    tasks = [asyncio.create_task(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
