"""The records of one topic under way: several lanes side by side, each of which applies one batch after the other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress

from shared.events.record import Record

FEW = 50
"""Records that are not worth a transaction a lane: side by side they would only cost twice as many commands."""
READ_AHEAD = 4
"""Batches for each lane after the first. Kafka's client hands out runs of one partition, which all go to one lane:
with fewer read ahead the other lane had nothing to do in two fifths of the time."""
MAX_AHEAD_BYTES = 8 * 2**20
"""However few the records are."""
_END_WITHIN_S = 15.0

Apply = Callable[[Sequence[Record]], Awaitable[bool]]
"""Applies one batch; answers whether to go on."""


class Lanes:
    """`count` lanes of batches of up to `most` records.

    A partition stays in one lane for as long as this process has the same partitions: its records, and so a member's,
    are applied in their order. Kafka's client hands out one partition after the other; while a lane is busy with one,
    the next ones are fetched for the others.
    """

    def __init__(self, count: int, most: int, apply: Apply) -> None:
        self._most, self._apply = most, apply
        self._queues: list[deque[Record]] = [deque() for _ in range(count)]
        self._tasks: list[asyncio.Task[None] | None] = [None] * count
        self._ahead = (count - 1) * READ_AHEAD * most
        self._under_way = self._bytes_under_way = 0
        self._progress = asyncio.Condition()
        self._partitions: list[int] = []
        self._closed = False
        self.turn = 0
        """One more with each `settle`."""

    async def add(self, records: Sequence[Record], assigned: Collection[int], turn: int) -> None:
        """Take records in, of a process that has these partitions; returns once few enough of them are under way.

        With one lane that is none. Dropped is what was read in an earlier turn (records before it were dropped, and
        none may be passed over), and what comes after the last batch that was to be applied.
        """
        partitions = sorted({*assigned, *(record.partition for record in records)})
        if partitions != self._partitions:  # none may be in its old lane and in its new one
            await self._until_under_way(0)
            self._partitions = partitions
        few = len(records) < FEW and not self._under_way
        lane_of = {partition: 0 if few else n % len(self._queues) for n, partition in enumerate(partitions)}
        if self._closed or turn != self.turn:
            return
        for record in records:
            self._queues[lane_of[record.partition]].append(record)
        self._count(records, 1)
        self._set_off()
        await self._until_under_way(0 if few else self._ahead)

    async def settle(self, within_s: float) -> None:
        """Drop what no batch has begun with, and wait for the batches under way, but no longer than that."""
        self.turn += 1
        async with self._progress:
            for queue in self._queues:
                self._count(queue, -1)
                queue.clear()
            self._progress.notify_all()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._until_under_way(0)

    async def close(self) -> None:
        """Begin no more batches, and let those under way end, or cancel them."""
        self._closed = True
        running = [task for task in self._tasks if task]
        if running:
            _, late = await asyncio.wait(running, timeout=_END_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        async with self._progress:
            self._progress.notify_all()

    def _set_off(self) -> None:
        for n, queue in enumerate(self._queues):
            task = self._tasks[n]
            if queue and (task is None or task.done()):
                self._tasks[n] = asyncio.create_task(self._follow(queue))

    async def _follow(self, lane: deque[Record]) -> None:
        while lane and not self._closed:
            batch = [lane.popleft() for _ in range(min(self._most, len(lane)))]
            go_on = False
            try:
                go_on = await self._apply(batch)
            finally:
                self._closed = self._closed or not go_on
                async with self._progress:
                    self._count(batch, -1)
                    self._progress.notify_all()

    def _count(self, records: Iterable[Record], sign: int) -> None:
        sizes = [len(record.value or b"") for record in records]
        self._under_way += sign * len(sizes)
        self._bytes_under_way += sign * sum(sizes)

    async def _until_under_way(self, most: int) -> None:
        def few_enough() -> bool:
            return self._closed or (self._under_way <= most and self._bytes_under_way <= MAX_AHEAD_BYTES)

        async with self._progress:
            await self._progress.wait_for(few_enough)
