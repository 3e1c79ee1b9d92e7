"""How fast a night's payments are taken in: one process, two, the bare loop and Kafka Connect's sink, in turns."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection

from benchmarks.bench import Bench, Row, peak_memory_mib, row, until
from deploy.local.processes import Process
from deploy.local.servers.program import Supervised
from deploy.simulator.flow import claims as flowing
from deploy.simulator.people import population
from shared.events.claims_payment import ClaimPaid
from shared.events.record import Message, to_message

ROUNDS: Final = 3
EVENTS_PER_ROUND: Final = 66_667
"""200,000 `ClaimPaid` in all."""
MEMBERS: Final = 20_000
STATEMENTS: Final = 20_000
"""Claims after which the announcements are measured."""
SEED: Final = 11
WITHIN_S: Final = 600.0
_WARM: Final = 0.3
"""Of a round is taken in before the clock starts: processes start, join their group, meet each code path."""


@dataclass
class Side:
    """One way of taking in: events/s a round, MiB at the peak of each."""

    rates: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median events/s."""
        return statistics.median(self.rates)


async def measure(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    flow = flowing(SEED, population(SEED, MEMBERS))
    payments = (to_message(event) for event in flow if isinstance(event.data, ClaimPaid))
    bare, sink, one, two = Side(), Side(), Side(), Side()
    bench.services.one("claims").stop()
    # Statements are announced later, and measured apart.
    claims = [bench.services.another("claims", {"STATEMENT_QUIET_SECONDS": "3600"}) for _ in range(2)]
    for turn in range(ROUNDS):
        await _backlog(bench, payments, f"bare_{turn}", f"sink_{turn}")
        await _other(bench, f"bare_{turn}", bench.bare_loop, bare)
        await _other(bench, f"sink_{turn}", bench.connect_sink, sink)
        await _ours(bench, one, claims[:1])
        await _backlog(bench, payments)
        await _ours(bench, two, claims)
        print(f"  round {turn + 1} of {ROUNDS}: {one.rates[-1]:,.0f}/s, two {two.rates[-1]:,.0f}/s, ", end="")
        print(f"bare loop {bare.rates[-1]:,.0f}/s, sink {sink.rates[-1]:,.0f}/s", flush=True)
    announced = await _announced(bench, payments)
    bench.services.one("claims").launch()
    bench.services.one("claims").wait_ready()
    return _rows(bare, sink, one, two, announced)


async def _backlog(bench: Bench, payments: Iterator[Message], *collections: str) -> None:
    """Publish a round's claims while nobody reads; what fills these collections is to begin with them."""
    for collection in collections:
        bench.mark(collection)
    await bench.publish([next(payments) for _ in range(EVENTS_PER_ROUND)])


async def _other(bench: Bench, collection: str, start: Callable[[str], Process], side: Side) -> None:
    loop = start(collection)
    try:
        side.rates.append(await _rate(bench.db[collection], 0, EVENTS_PER_ROUND))
        side.memory_mib.append(peak_memory_mib(loop.pid))
    finally:
        bench.end(loop)


async def _ours(bench: Bench, side: Side, claims: Sequence[Supervised]) -> None:
    stored = bench.db["claims"]  # each payment is of a claim of its own
    before = stored.estimated_document_count()
    for process in claims:
        process.launch()
    try:
        side.rates.append(await _rate(stored, before, before + EVENTS_PER_ROUND))
        side.memory_mib.append(max(peak_memory_mib(process.process.pid) for process in claims))
    finally:
        for process in claims:
            process.stop()


async def _announced(bench: Bench, payments: Iterator[Message]) -> float:
    """Statements a second, once claims have rested: from the job rows to Kafka."""
    statements, stored = bench.db["statements"], bench.db["claims"]
    claims = bench.services.another("claims", {"STATEMENT_QUIET_SECONDS": "20"})
    expected = stored.estimated_document_count() + STATEMENTS
    await bench.publish([next(payments) for _ in range(STATEMENTS)])
    claims.launch()
    try:
        await until(lambda: stored.estimated_document_count() >= expected, WITHIN_S, every_s=0.05)
        await until(lambda: statements.estimated_document_count() > 0, WITHIN_S, every_s=0.05)
        first, started = statements.estimated_document_count(), time.monotonic()
        due = {"due_at": {"$lte": datetime.now(UTC) + timedelta(seconds=60)}}
        await until(lambda: bench.db["jobs"].count_documents(due) == 0, WITHIN_S, every_s=0.1)
        await until(lambda: bench.db["outbox"].estimated_document_count() == 0, WITHIN_S, every_s=0.1)
        return (statements.estimated_document_count() - first) / (time.monotonic() - started)
    finally:
        claims.stop()


async def _rate(collection: Collection[dict[str, Any]], before: int, after: int) -> float:
    """Documents a second once it is warm."""
    warm = before + round(_WARM * (after - before))
    await until(lambda: collection.estimated_document_count() >= warm, WITHIN_S, every_s=0.05)
    first, started = collection.estimated_document_count(), time.monotonic()
    await until(lambda: collection.estimated_document_count() >= after, WITHIN_S, every_s=0.05)
    return (after - first) / (time.monotonic() - started)


def _rows(bare: Side, sink: Side, one: Side, two: Side, announced: float) -> Iterator[Row]:
    yield row("ClaimPaid taken in, events/s, bare loop", one.rate, bare.rate)
    yield row("  two processes, one", two.rate, one.rate)
    yield row("  Kafka Connect's MongoDB sink (goal 9/7)", one.rate, sink.rate)
    yield row("  two processes, Kafka Connect's MongoDB sink", two.rate, sink.rate)
    yield row("  peak memory, MiB, bare loop", max(one.memory_mib), max(bare.memory_mib))
    yield row("  peak memory, MiB, last round, first", one.memory_mib[-1], one.memory_mib[0])
    yield ("statements announced/s afterwards", f"{announced:,.0f}", "", "")
