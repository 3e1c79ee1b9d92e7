"""From Kafka's client to the lanes of one topic, so that a rebalance passes nothing over."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from aiokafka import ConsumerRecord
from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.events.record import Record
from shared.lanes import FEW, Lanes
from shared.logs import get_logger
from shared.offsets import Offsets

WAIT_MS = 1_000
"""For the next records; they are handed out as soon as there are any."""
MEANWHILE_MS = 3
"""For one question to the broker and its answer."""

Raw: TypeAlias = "ConsumerRecord[bytes, bytes]"

log = get_logger(__name__)


class Intake:
    """`most`: records of one batch; `at_once`: of one question."""

    def __init__(self, lanes: Lanes, offsets: Offsets, most: int, at_once: int) -> None:
        self._lanes, self._offsets, self._most, self._at_once = lanes, offsets, most, at_once

    async def next(self, consumer: Any) -> tuple[Raw, ...]:
        """What aiokafka's `consumer` hands out next, for `take`; nothing if nothing came for a while.

        FastStream's own question sleeps after each answer without records, and what comes then waits.
        """
        return tuple(await _ask(consumer, WAIT_MS, self._at_once))

    async def take(self, consumer: Any, read: Sequence[Raw]) -> None:
        """Take in what aiokafka's `consumer` has handed out; returns when it may hand out more.

        After a rebalance every partition is read again from what was committed: what was read before it is dropped.
        """
        if self._offsets.amid_rebalance:
            return
        turn = self._lanes.turn
        if len(read) < FEW:
            more = await self._what_came_meanwhile(consumer)
            # Who asks while partitions are dealt out anew waits for that, and gets what is read from there on.
            read, turn = ([*read, *more], turn) if turn == self._lanes.turn else (more, self._lanes.turn)
        assigned = [partition.partition for partition in self._offsets.assigned()]
        await self._lanes.add([_record(one) for one in read], assigned, turn)
        self._offsets.measure_lag()

    async def _what_came_meanwhile(self, consumer: Any) -> list[Raw]:
        """What was published while the batch before was applied, and would otherwise wait for this one too.

        aiokafka asks a broker for more only once all it holds was taken: what it held is what came in the first moment.
        """
        try:
            return await _ask(consumer, MEANWHILE_MS, self._most)
        except (KafkaError, ConsumerStoppedError) as error:
            log.warning("fetch_refused", error=type(error).__name__)
            return []


async def _ask(consumer: Any, wait_ms: int, most: int) -> list[Raw]:
    found = await consumer.getmany(timeout_ms=wait_ms, max_records=most)
    return [record for records in found.values() for record in records]


def _record(raw: Raw) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers))
