"""What is taken in around a rebalance: all that was read behind it, nothing that was read before it."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from shared.events.record import Record
from shared.intake import Intake
from shared.lanes import FEW, Lanes
from shared.offsets import Offsets

TOPIC, MOST = "claims.v1", 500


class Kafka:
    """Stands for aiokafka's consumer of one partition: `getmany` answers `more`, after what happens `meanwhile`."""

    def __init__(self) -> None:
        self.committed = 0
        self.more: list[Any] = []
        self.meanwhile: Callable[[], Any] | None = None

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(TOPIC, 0)}

    def highwater(self, _partition: TopicPartition) -> int:
        return 0

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed = offsets[TopicPartition(TOPIC, 0)]

    async def getmany(self, **_how: int) -> dict[TopicPartition, list[Any]]:
        if self.meanwhile:
            await self.meanwhile()
        return {TopicPartition(TOPIC, 0): self.more} if self.more else {}


class Bench:
    def __init__(self) -> None:
        self.kafka, self.applied = Kafka(), list[int]()
        self.lanes = Lanes(1, MOST, self._apply)
        self.offsets = Offsets(TOPIC, lambda: self.kafka, lambda: self.lanes.settle(1))
        self.intake = Intake(self.lanes, self.offsets, MOST, at_once=MOST)

    async def _apply(self, batch: Sequence[Record]) -> bool:
        self.applied += [record.offset for record in batch]
        self.offsets.note(batch)
        return True

    async def rebalance(self) -> None:
        await self.offsets.on_partitions_revoked(self.kafka.assignment())
        await self.offsets.on_partitions_assigned(self.kafka.assignment())

    async def take(self, read: list[Any]) -> None:
        await self.intake.take(self.kafka, read)
        await self.offsets.commit()


def raw(first: int, last: int) -> list[Any]:
    return [
        SimpleNamespace(topic=TOPIC, partition=0, offset=offset, key=b"", value=b"", headers=())
        for offset in range(first, last + 1)
    ]


async def test_what_came_meanwhile_joins_a_few_and_is_not_asked_for_by_many() -> None:
    bench = Bench()
    bench.kafka.more = raw(2, 4)
    await bench.take(raw(0, 1))
    assert (bench.applied, bench.kafka.committed) == ([0, 1, 2, 3, 4], 5)
    await bench.take(raw(5, 4 + FEW))
    assert bench.kafka.committed == 5 + FEW


async def test_a_rebalance_while_more_is_asked_for_passes_nothing_over() -> None:
    bench = Bench()
    await bench.take(raw(0, 3))
    bench.kafka.meanwhile, bench.kafka.more = bench.rebalance, raw(4, 9)  # 4 is the first that is not committed
    await bench.take(raw(4, 5))
    assert (bench.applied, bench.kafka.committed) == (list(range(10)), 10)


async def test_what_is_handed_out_amid_a_rebalance_is_read_again() -> None:
    bench = Bench()
    await bench.offsets.on_partitions_revoked(bench.kafka.assignment())
    await bench.take(raw(0, 3))
    assert (bench.applied, bench.kafka.committed) == ([], 0)
    await bench.offsets.on_partitions_assigned(bench.kafka.assignment())
    await bench.take(raw(0, 3))
    assert (bench.applied, bench.kafka.committed) == ([0, 1, 2, 3], 4)
