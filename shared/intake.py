"""From Kafka's client to the lanes of one topic, so that a rebalance passes nothing over."""

from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.events.record import Record
from shared.lanes import FEW, Lanes
from shared.logs import get_logger
from shared.offsets import Offsets

MEANWHILE_MS = 3
"""For one question to the broker and its answer."""

log = get_logger(__name__)


class Intake:
    """`most`: records of one batch."""

    def __init__(self, lanes: Lanes, offsets: Offsets, most: int) -> None:
        self._lanes, self._offsets, self._most = lanes, offsets, most

    async def take(self, consumer: Any, read: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
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

    async def _what_came_meanwhile(self, consumer: Any) -> list[ConsumerRecord[bytes, bytes]]:
        """What was published while the batch before was applied, and would otherwise wait for this one too.

        aiokafka asks a broker for more only once all it holds was taken: what it held is what came in the first moment.
        """
        try:
            more = await consumer.getmany(timeout_ms=MEANWHILE_MS, max_records=self._most)
        except (KafkaError, ConsumerStoppedError) as error:
            log.warning("fetch_refused", error=type(error).__name__)
            return []
        return [record for records in more.values() for record in records]


def _record(raw: ConsumerRecord[bytes, bytes]) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers))
