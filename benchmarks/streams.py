"""Thousands of open streams on one process: what each costs in memory, and how soon each tells its change."""

import asyncio
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice

from benchmarks.bench import SEED, Bench, cpu_s, memory_mib
from deploy.simulator.chance import chance
from deploy.simulator.flow import claims
from deploy.simulator.people import population
from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid, ClaimsPaymentEvent
from shared.events.membership import MemberEnrolled
from shared.events.record import to_message

LIMIT_MS = 100.0
STREAMS, WARM_STREAMS = 2_000, 100
OPENED_AT_ONCE = 20
PER_SECOND, SECONDS = 20, 30
REST_S = 10.0
"""Before memory is read, and while the CPU of streams that hear nothing is measured."""
WITHIN_S = 60.0


@dataclass
class Figures:
    """`from_publish_ms`, `from_write_ms`: of each claim up to its stream, from the producer's `send`, and from the
    stamp that the database gave it inside its transaction, before the commit. CPU: of a core."""

    name: str
    memory_mib: float = 0.0
    opened_in_s: float = 0.0
    idle_cpu: float = 0.0
    busy_cpu: float = 0.0
    from_publish_ms: list[float] = field(default_factory=list)
    from_write_ms: list[float] = field(default_factory=list)

    @property
    def stream_kib(self) -> float:
        """Resident memory of one open stream."""
        return self.memory_mib * 1024 / STREAMS


def quantile(times_ms: Sequence[float], percent: int) -> float:
    """Percentile."""
    return statistics.quantiles(times_ms, n=100)[percent - 1]


async def measure(bench: Bench) -> AsyncIterator[Figures]:
    """At claims itself, then through the gateway, which opens one at each of three services for each."""
    people = population(SEED + 1, STREAMS)
    numbers = [person.member_number for person in people]
    told = _paid(people)
    for name, port in (("claims", bench.infra.ports.of("claims")), ("gateway", bench.infra.ports.gateway)):
        yield await _measure(bench, name, port, numbers, list(islice(told, PER_SECOND * SECONDS)))


def _paid(people: Sequence[MemberEnrolled]) -> Iterator[Event[ClaimsPaymentEvent]]:
    """An endless flow of claims, each told once, of members at random."""
    return (event for event in claims(SEED + 1, people) if isinstance(event.data, ClaimPaid))


async def _measure(
    bench: Bench, name: str, port: int, numbers: list[str], events: list[Event[ClaimsPaymentEvent]]
) -> Figures:
    pid, figures = bench.services.one(name).process.pid, Figures(name)
    tokens = [bench.token(number) for number in numbers]
    async with _listening(port, tokens[:WARM_STREAMS]):
        pass  # what the first streams load stays, and is no stream's
    await asyncio.sleep(REST_S)
    before_mib, started = memory_mib(pid), time.monotonic()
    async with _listening(port, tokens) as client:
        figures.opened_in_s = time.monotonic() - started
        await asyncio.sleep(REST_S)
        before_s = cpu_s(pid)
        await asyncio.sleep(REST_S)
        figures.idle_cpu = (cpu_s(pid) - before_s) / REST_S
        figures.memory_mib = memory_mib(pid) - before_mib
        heard = asyncio.create_task(_hear(client, {event.data.claim_id for event in events}))
        before_s, started = cpu_s(pid), time.monotonic()
        published = await _publish(bench, events)
        told = await asyncio.wait_for(heard, WITHIN_S)
        figures.busy_cpu = (cpu_s(pid) - before_s) / (time.monotonic() - started)
    for claim_id, (written_ms, read_s) in told.items():
        figures.from_publish_ms.append((read_s - published[claim_id]) * 1000)
        figures.from_write_ms.append(read_s * 1000 - written_ms)
    return figures


@asynccontextmanager
async def _listening(port: int, tokens: Sequence[str]) -> AsyncIterator[Process]:
    """The client's process while all its streams stand."""
    command = (sys.executable, "-m", "benchmarks.stream_client", str(port), str(OPENED_AT_ONCE))
    client = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert client.stdin is not None
    try:
        client.stdin.write("".join(f"{token}\n" for token in tokens).encode() + b"\n")
        await asyncio.wait_for(_opened(client), WITHIN_S * 3)
        yield client
    finally:
        client.stdin.close()
        await client.wait()


async def _opened(client: Process) -> None:
    while not (line := await _line(client)).startswith("open"):  # the gateway's streams tell the last minute again
        if not line:
            raise RuntimeError("the streams did not open")


async def _line(client: Process) -> str:
    assert client.stdout is not None
    return (await client.stdout.readline()).decode().strip()


async def _publish(bench: Bench, events: list[Event[ClaimsPaymentEvent]]) -> dict[str, float]:
    """One claim after the other, in time whatever became of those before; when each was, by its id."""
    rng = chance("streams", SEED)
    published: dict[str, float] = {}
    at = time.time()
    for event in events:
        at += 2 * rng.random() / PER_SECOND  # not in step with anything that polls
        await asyncio.sleep(max(0.0, at - time.time()))
        published[event.data.claim_id] = time.time()
        bench.send(to_message(event))
    return published


async def _hear(client: Process, expected: Set[str]) -> dict[str, tuple[float, float]]:
    """(the stamp in ms, when it was read in s) of each of these claims, by id."""
    told: dict[str, tuple[float, float]] = {}
    while len(told) < len(expected):
        claim_id, written_ms, read_s = (await _line(client)).split()
        if claim_id in expected:
            told.setdefault(claim_id, (float(written_ms), float(read_s)))
    return told
