"""Batches side by side: a partition's records, and so a member's, are applied a batch at a time and in their order."""

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.record import Record
from shared.lanes import FEW, MAX_AHEAD_BYTES, READ_AHEAD, Lanes

MOST = 60


class Applied:
    """What the lanes were seen to do. A batch takes as many turns of the loop as `turns` says next."""

    def __init__(self, turns: Sequence[int] = (), fails_at: int | None = None) -> None:
        self.batches: list[list[Record]] = []
        self.records: list[Record] = []
        self.side_by_side = 0
        self._turns, self._fails_at = list(turns), fails_at
        self._partitions: list[set[int]] = []

    async def apply(self, batch: Sequence[Record]) -> bool:
        partitions = {record.partition for record in batch}
        assert all(partitions.isdisjoint(others) for others in self._partitions), "a partition in two batches at once"
        self._partitions.append(partitions)
        self.side_by_side = max(self.side_by_side, len(self._partitions))
        for _ in range(self._turns.pop() if self._turns else 3):
            await asyncio.sleep(0)
        self._partitions.remove(partitions)
        self.batches.append(list(batch))
        if self._fails_at is not None and len(self.batches) > self._fails_at:
            return False
        self.records += batch
        return True


def records(partitions: Sequence[int], first: int = 0) -> list[Record]:
    return [Record("claims.v1", partition, first + n, b"", b"", ()) for n, partition in enumerate(partitions)]


fetches = st.lists(
    st.tuples(st.sets(st.integers(0, 5)), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 150)), max_size=4)),
    max_size=8,
)
"""What Kafka hands out: the partitions that this process has then, and runs of records of one partition each."""


@settings(deadline=None)
@given(fetches, st.integers(1, 4), st.lists(st.integers(0, 9), max_size=40))
def test_each_record_is_applied_once_in_the_order_of_its_partition(
    fetched: list[tuple[set[int], list[tuple[int, int]]]], count: int, turns: list[int]
) -> None:
    applied, told = Applied(turns), list[Record]()

    async def consume() -> None:
        lanes = Lanes(count, MOST, applied.apply)
        for assigned, runs in fetched:
            batch = records([partition for partition, length in runs for _ in range(length)], first=len(told))
            told.extend(batch)
            await lanes.add(batch, assigned, 0)
            assert len(told) - len(applied.records) <= (count - 1) * READ_AHEAD * MOST
        await lanes.add([], range(9), 0)  # other partitions: only once nothing is under way
        assert len(applied.records) == len(told)

    asyncio.run(asyncio.wait_for(consume(), 10))
    assert all(len(batch) <= MOST or len(batch) < FEW for batch in applied.batches)
    assert applied.side_by_side <= count
    for partition in range(6):
        of_partition = [record for record in applied.records if record.partition == partition]
        assert of_partition == [record for record in told if record.partition == partition]


async def test_a_lane_works_on_while_the_next_records_are_fetched_for_another() -> None:
    applied = Applied([50, 50])
    lanes = Lanes(2, MOST, applied.apply)
    await lanes.add(records([0] * MOST), {0, 1}, 0)
    assert not applied.batches
    await lanes.add(records([1] * MOST), {0, 1}, 0)
    await asyncio.sleep(0)
    assert applied.side_by_side == 2
    await lanes.close()
    assert len(applied.records) == 2 * MOST


async def test_large_records_are_not_read_ahead() -> None:
    applied = Applied()
    large = Record("claims.v1", 0, 0, b"", bytes(MAX_AHEAD_BYTES + 1), ())
    await asyncio.wait_for(Lanes(2, MOST, applied.apply).add([large, *records([0] * MOST)], {0, 1}, 0), 1)
    assert applied.records[0] is large


async def test_a_few_records_are_one_batch() -> None:
    applied = Applied()
    await Lanes(3, MOST, applied.apply).add(records([0, 1, 2, 3] * 5), range(4), 0)
    assert [len(batch) for batch in applied.batches] == [20]


async def test_nothing_is_applied_after_a_batch_that_was_given_up() -> None:
    applied = Applied(fails_at=1)
    lanes = Lanes(1, MOST, applied.apply)
    await lanes.add(records([0] * MOST), {0}, 0)
    await lanes.add(records([0] * 3 * MOST), {0}, 0)
    await lanes.add(records([0] * MOST), {0}, 0)
    assert (len(applied.batches), len(applied.records)) == (2, MOST)


async def test_closing_lets_what_is_under_way_end_and_begins_nothing_more() -> None:
    applied = Applied([100_000])
    lanes = Lanes(2, MOST, applied.apply)
    adding = asyncio.create_task(lanes.add(records([0] * 3 * MOST), {0, 1}, 0))
    await asyncio.sleep(0.01)
    assert not applied.records
    await lanes.close()
    await asyncio.wait_for(adding, 1)
    assert len(applied.records) == MOST


async def test_a_rebalance_drops_what_waits_and_what_was_read_before_it() -> None:
    applied = Applied([200])
    lanes = Lanes(1, MOST, applied.apply)
    reading = [asyncio.create_task(lanes.add(records([0] * 3 * MOST), {0}, lanes.turn)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not applied.records
    reading.append(asyncio.create_task(lanes.add(records([1] * MOST), {1}, lanes.turn)))
    await asyncio.sleep(0)
    await lanes.settle(1)
    await asyncio.gather(*reading)
    assert applied.records == records([0] * MOST)
    await lanes.add(records([0, 0], first=MOST), {0}, lanes.turn)
    assert len(applied.records) == MOST + 2


async def test_a_rebalance_does_not_wait_for_ever() -> None:
    applied = Applied([10**6])
    lanes = Lanes(2, MOST, applied.apply)
    await lanes.add(records([0] * MOST), {0}, lanes.turn)
    await lanes.settle(0.05)
    assert not applied.records
