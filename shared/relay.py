"""The relay publishes the outbox: one active per service by lease, each lane in its order, at least once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from shared.backoff import Backoff
from shared.kafka import KafkaAccess
from shared.leases import Lease
from shared.logs import get_logger
from shared.mongo import Document, Mongo
from shared.outbox import COLLECTION

PAGE_ROWS = 500
POLL_S = 0.1
LEASE_S = 4.0
RENEW_S = 1.0
STANDBY_S = 0.5
LEASE = "relay"

PUBLISHED = Counter("espace_outbox_published_total", "Outbox rows that Kafka acknowledged.", ["topic"])
OLDEST = Gauge("espace_outbox_oldest_seconds", "Age of the oldest row that waits in the outbox.")
LEADER = Gauge("espace_outbox_leader", "1 if this process publishes the outbox of its service.")

log = get_logger(__name__)


class Relay:
    """Publishes a service's outbox while it holds the lease; a killed one is replaced within `LEASE_S`."""

    name = "relay"
    required = False

    def __init__(self, service: str, access: KafkaAccess, mongo: Mongo) -> None:
        self._service, self._access, self._mongo = service, access, mongo
        self._lease = Lease(mongo, LEASE, lasts_s=LEASE_S, renewed_s=RENEW_S)
        self._producer: AIOKafkaProducer | None = None
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Begin in the background; whether Kafka is there shows in `state`."""
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        """Publish what is under way, then give the lease back so that another replica need not wait."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._drop_producer()
        await self._lease.release()

    async def state(self) -> str:
        """`ok`, or what keeps events from going out."""
        return self._trouble or "ok"

    @property
    def _outbox(self) -> Any:
        return self._mongo.db[COLLECTION]

    async def _run(self) -> None:
        backoff = Backoff(first_s=0.1, cap_s=3.0)
        while True:
            try:
                moved = await self._step()
            except (KafkaError, PyMongoError, OSError, TimeoutError) as error:
                self._trouble = f"waiting: {type(error).__name__}"
                log.warning("relay_waits", error=type(error).__name__)
                await self._drop_producer()  # an idempotent producer may stick after an error (aiokafka #1017)
                await backoff.sleep()
                continue
            except Exception as error:  # nobody else would notice that events no longer go out
                self._trouble = f"failing: {type(error).__name__}"
                log.exception("relay_failed")
                await self._drop_producer()
                await backoff.sleep()
                continue
            self._trouble = ""
            backoff.reset()
            if not moved:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        if not self._lease.held:
            await asyncio.sleep(STANDBY_S)
            return
        try:
            await asyncio.wait_for(self._mongo.committed.wait(), POLL_S)
        except TimeoutError:
            return
        self._mongo.committed.clear()

    async def _step(self) -> bool:
        """Publish one page; whether there was anything to publish."""
        if not await self._hold_lease():
            return False
        page = await self._outbox.find().sort([("at", 1), ("seq", 1)]).limit(PAGE_ROWS).to_list(PAGE_ROWS)
        OLDEST.set((datetime.now(UTC) - page[0]["at"]).total_seconds() if page else 0)
        if page:
            await self._publish(page)
        return bool(page)

    async def _hold_lease(self) -> bool:
        held = await self._lease.hold()
        LEADER.set(held)
        return held

    async def _publish(self, page: list[Document]) -> None:
        """Send each lane's rows one after the other, the lanes side by side, and delete what was acknowledged."""
        producer = await self._ready_producer()
        lanes: dict[str, list[Document]] = {}
        for row in page:
            lanes.setdefault(row["lane"], []).append(row)
        while lanes:
            heads = [rows[0] for rows in lanes.values()]
            outcomes = await asyncio.gather(*(_send(producer, row) for row in heads), return_exceptions=True)
            sent = [row for row, outcome in zip(heads, outcomes, strict=True) if not isinstance(outcome, BaseException)]
            if sent:
                await self._outbox.delete_many({"_id": {"$in": [row["_id"] for row in sent]}})
            for row in sent:
                PUBLISHED.labels(row["topic"]).inc()
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
            if not await self._hold_lease():
                return
            lanes = {lane: rows[1:] for lane, rows in lanes.items() if len(rows) > 1}

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._access.producer(f"{self._service}-relay")
            try:
                await asyncio.wait_for(producer.start(), 15)
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), 5)
            except (KafkaError, TimeoutError):
                log.debug("producer_dropped")


async def _send(producer: AIOKafkaProducer, row: Document) -> None:
    headers = [(name, value) for name, value in row["headers"]]
    await producer.send_and_wait(row["topic"], key=row["key"], value=row["value"], headers=headers)
