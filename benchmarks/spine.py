"""The spine's two figures: how fast claims are taken in, and how soon a member sees one."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pymongo.collection import Collection
from pyreqwest.client import ClientBuilder

from benchmarks.bench import Bench, peak_memory_mib, until
from shared.events.record import Message

EVENTS_PER_ROUND = 20_000
ROUNDS = 3
SINGLE_EVENTS = 100
WITHIN_S = 180.0


@dataclass
class Figures:
    """One side of the comparison: events/s a round, ms an event, MiB at the peak."""

    rates: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    memory_mib: float = 0.0

    @property
    def rate(self) -> float:
        """Median events/s."""
        return statistics.median(self.rates)

    def latency(self, quantile: int) -> float:
        """Percentile of the milliseconds from publish to visible."""
        return statistics.quantiles(self.latencies_ms, n=100)[quantile - 1]


async def measure(bench: Bench) -> tuple[Figures, Figures]:
    """(ours, the bare loop), in turns on the same servers."""
    await bench.publish(bench.enrolments())
    await until(lambda: bench.db["members"].count_documents({}) == len(bench.members), WITHIN_S)
    ours, bare = Figures(), Figures()
    for turn in range(ROUNDS):
        await _ingest(bench, f"bare_{turn}", ours, bare)
        print(f"  round {turn + 1} of {ROUNDS}: {ours.rates[-1]:,.0f}/s, bare loop {bare.rates[-1]:,.0f}/s", flush=True)
    await _visible(bench, ours)
    await _written(bench, bare)
    return ours, bare


async def _ingest(bench: Bench, collection: str, ours: Figures, bare: Figures) -> None:
    """Publish one backlog while nobody reads it, then let each side take it in alone."""
    claims = bench.services.one("claims")
    claims.stop()
    bench.mark(collection)
    messages = bench.next_messages(EVENTS_PER_ROUND)
    await bench.publish(messages)

    loop = bench.bare_loop(collection)
    documents = len({(message.key, _claim_id(message)) for message in messages})
    bare.rates.append(await _rate(bench.db[collection], 0, documents) * EVENTS_PER_ROUND / documents)
    bare.memory_mib = max(bare.memory_mib, peak_memory_mib(loop.pid))
    bench.end(loop)

    inbox = bench.db["inbox"]  # in claims it is the log: one row an event
    before = inbox.estimated_document_count()
    claims.launch()
    ours.rates.append(await _rate(inbox, before, before + EVENTS_PER_ROUND))
    claims.wait_ready()
    ours.memory_mib = max(ours.memory_mib, peak_memory_mib(claims.process.pid))


async def _rate(collection: Collection[dict[str, Any]], before: int, after: int) -> float:
    """Documents a second from the first that appears to the last, so that a process's start does not count."""
    await until(lambda: collection.estimated_document_count() > before, WITHIN_S)
    first, started = collection.estimated_document_count(), time.monotonic()
    await until(lambda: collection.estimated_document_count() >= after, WITHIN_S)
    return (after - first) / (time.monotonic() - started)


async def _visible(bench: Bench, ours: Figures) -> None:
    """Publish → the open page's stream tells of it and the API answers with it, through the gateway."""
    client = ClientBuilder().no_proxy().build()
    try:
        for message in _paid(bench.next_messages):
            authorization = f"Bearer {bench.token(message.key.decode())}"
            url = f"{bench.gateway_url()}/api/v1/stream"
            request = client.get(url).header("authorization", authorization).streamed_read_buffer_limit(0)
            async with asyncio.timeout(30), request.build_streamed() as stream:
                await stream.body_reader.read_chunk()  # the greeting: from now on nothing is missed
                started = time.monotonic()
                await bench.publish([message])
                wanted, seen = _claim_id(message), b""
                while wanted not in seen:
                    seen += bytes(await stream.body_reader.read_chunk() or b"")
                detail = f"{bench.gateway_url()}/api/v1/reimbursements/{wanted.decode()}"
                answer = await client.get(detail).header("authorization", authorization).build().send()
                if answer.status != 200:
                    raise RuntimeError(f"announced and not there: {answer.status}")
                ours.latencies_ms.append((time.monotonic() - started) * 1000)
    finally:
        await client.close()


async def _written(bench: Bench, bare: Figures) -> None:
    """Publish → the bare loop's document can be read."""
    bench.mark("bare_single")
    loop = bench.bare_loop("bare_single")
    try:
        for message in _paid(bench.next_messages):
            document = {"_id": message.key.decode() + _claim_id(message).decode()}
            started = time.monotonic()
            await bench.publish([message])
            await until(lambda d=document: bench.db["bare_single"].count_documents(d) == 1, 30)
            bare.latencies_ms.append((time.monotonic() - started) * 1000)
    finally:
        bench.end(loop)


def _paid(next_messages: Callable[[int], list[Message]]) -> list[Message]:
    """The next paid claims of the flow, one member each time another."""
    found: list[Message] = []
    while len(found) < SINGLE_EVENTS:
        found += [m for m in next_messages(50) if dict(m.headers)["ce_type"] == b"ClaimPaid"]
    return found[:SINGLE_EVENTS]


def _claim_id(message: Message) -> bytes:
    return (message.value or b"").split(b'"claim_id":"')[1].split(b'"')[0]
