"""How far this process is in one topic: noted batch by batch, told to Kafka by and by, never amid a rebalance."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError
from prometheus_client import Gauge

from shared.events.record import Record
from shared.logs import get_logger

LAG = Gauge("espace_consumer_lag_records", "Records behind the end of the partition.", ["topic", "partition"])

log = get_logger(__name__)


class Offsets(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """`settle` waits for the batches under way, `consumer` answers aiokafka's, None while there is none.

    `amid_rebalance`: partitions were given back and not dealt out again. A commit then has the old generation, for
    which aiokafka joins once more; that is another rebalance for everybody, with more such commits, without end.
    """

    def __init__(self, topic: str, consumer: Callable[[], Any], settle: Callable[[], Awaitable[None]]) -> None:
        self._topic, self._consumer, self._settle = topic, consumer, settle
        self.amid_rebalance = False
        self._reached: dict[TopicPartition, int] = {}
        self._uncommitted: dict[TopicPartition, int] = {}

    def note(self, batch: Sequence[Record]) -> None:
        """These were applied: each partition is at its own last record + 1."""
        reached: dict[TopicPartition, int] = {}
        for record in batch:
            partition = TopicPartition(record.topic, record.partition)
            reached[partition] = max(reached.get(partition, 0), record.offset + 1)
        self._reached |= reached
        self._uncommitted |= reached

    async def commit(self) -> None:
        """Tell Kafka; a refusal is only logged: what is not committed comes again, and the inbox knows it."""
        if not self.amid_rebalance:
            await self._commit()

    async def _commit(self) -> None:
        offsets, self._uncommitted = self._uncommitted, {}
        assigned = self.assigned()
        ours = {partition: offset for partition, offset in offsets.items() if partition in assigned}
        try:
            if ours:
                await self._consumer().commit(ours)
        except CommitFailedError:  # dealt out anew meanwhile, to be read from what was committed before
            log.warning("commit_too_late", topic=self._topic)
        except Exception as error:  # whatever it is, the next round has to come
            self._uncommitted = ours | self._uncommitted
            log.warning("commit_refused", topic=self._topic, error=type(error).__name__)

    def assigned(self) -> Collection[TopicPartition]:
        """The partitions that this process has."""
        consumer = self._consumer()
        return consumer.assignment() if consumer else ()

    def measure_lag(self) -> None:
        """Set the gauge of each partition."""
        consumer = self._consumer()
        for partition in self.assigned():
            end, reached = consumer.highwater(partition), self._reached.get(partition)
            if end is not None and reached is not None:
                LAG.labels(partition.topic, partition.partition).set(max(0, end - reached))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """What is under way ends and is committed, so that the next owner goes on behind it.

        From the first moment nothing more is taken in: what Kafka's client still hands out is behind what `settle`
        drops, and a commit of it would pass over that.
        """
        self.amid_rebalance = True
        await self._settle()
        await self._commit()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """They are read from what was committed last."""
        self._uncommitted = {}
        self.amid_rebalance = False
