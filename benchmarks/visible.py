"""How soon a member sees a claim while the payment system sends 200 a second: on the open stream, and by the API."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pyreqwest.client import Client, ClientBuilder

from benchmarks.bench import Bench, Row, row, until
from services.gateway.upstream import next_piece
from shared.events.record import Message

PER_SECOND: Final = 200
SECONDS: Final = 40
WARM_SECONDS: Final = 60
"""Of the same flow before that, unmeasured: a broker that was just started compiles itself, with half of its time."""
LISTENERS: Final = 10
"""Members who look on, of 500: every fiftieth claim is theirs."""
GOALS_MS: Final = {50: 25, 99: 100}
WITHIN_S: Final = 30.0


@dataclass
class Seen:
    """Milliseconds from the call that publishes, for each claim looked for."""

    stream_ms: list[float] = field(default_factory=list)
    api_ms: list[float] = field(default_factory=list)
    bare_ms: list[float] = field(default_factory=list)


async def measure(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    await bench.publish(bench.enrolments())
    await until(lambda: bench.db["members"].count_documents({}) == len(bench.members), 180)
    await until(lambda: _settled(bench), 600, every_s=0.5)
    seen = Seen()
    await _send(bench, WARM_SECONDS)
    client = ClientBuilder().no_proxy().build()
    try:
        async with _Listening(bench, client, seen).begun() as listening:
            await _send(bench, SECONDS, listening)
    finally:
        await client.close()
    await _bare(bench, seen)
    return _rows(seen)


def _settled(bench: Bench) -> bool:
    """Whether the members' passwords are hashed and their letters set: neither is what is measured."""
    due = {"due_at": {"$lte": datetime.now(UTC)}}
    return not any(
        bench.database(service)["jobs"].count_documents(due) + bench.database(service)["outbox"].count_documents({})
        for service in ("auth", "notifications")
    )


class _Listening:
    """Some members with an open stream through the gateway; asks the API for each of their claims once told of it."""

    def __init__(self, bench: Bench, client: Client, seen: Seen) -> None:
        self._bench, self._client, self._seen = bench, client, seen
        self._sent: dict[str, float] = {}
        self.members = {member.member_number for member in bench.members[:LISTENERS]}

    @asynccontextmanager
    async def begun(self) -> AsyncIterator["_Listening"]:
        """Listen until the block ends and every claim sent in it was seen."""
        greeted = [asyncio.Event() for _ in self.members]
        tasks = [asyncio.create_task(self._listen(*one)) for one in zip(sorted(self.members), greeted, strict=True)]
        try:
            async with asyncio.timeout(WITHIN_S):
                await asyncio.gather(*(event.wait() for event in greeted))
            yield self
            await until(lambda: not self._sent, WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def sending(self, message: Message) -> None:
        """The clock starts for a claim of a member who listens."""
        member_number, event_type = (message.key or b"").decode(), dict(message.headers)["ce_type"]
        if member_number in self.members and event_type == b"ClaimPaid":
            self._sent[claim_id(message)] = time.monotonic()

    async def _listen(self, member_number: str, greeted: asyncio.Event) -> None:
        authorization = f"Bearer {self._bench.token(member_number)}"
        url = f"{self._bench.gateway_url()}/api/v1/stream"
        request = self._client.get(url).header("authorization", authorization).streamed_read_buffer_limit(0)
        async with request.build_streamed() as stream:
            await stream.body_reader.read_chunk()  # the greeting: from now on nothing is missed
            greeted.set()
            while piece := await next_piece(stream):
                told, told_at = piece.decode(), time.monotonic()
                for claim in [claim for claim in self._sent if f'"{claim}"' in told]:
                    sent = self._sent[claim]
                    self._seen.stream_ms.append((told_at - sent) * 1000)
                    await self._ask(claim, authorization)
                    self._seen.api_ms.append((time.monotonic() - sent) * 1000)
                    del self._sent[claim]

    async def _ask(self, claim: str, authorization: str) -> None:
        url = f"{self._bench.gateway_url()}/api/v1/reimbursements/{claim}"
        answer = await self._client.get(url).header("authorization", authorization).build().send()
        if answer.status != 200:
            raise RuntimeError(f"announced and not there: {answer.status}")


async def _send(bench: Bench, seconds: int, listening: _Listening | None = None) -> None:
    """200 a second, each at its time."""
    messages = bench.next_messages(PER_SECOND * seconds)
    async with bench.producer() as producer:
        started = time.monotonic()
        for number, message in enumerate(messages):
            await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.monotonic()))
            if listening:
                listening.sending(message)
            await producer.send(message.topic, key=message.key, value=message.value, headers=list(message.headers))


async def _bare(bench: Bench, seen: Seen) -> None:
    """The same while the bare loop writes: publish → the document can be read, for a claim every now and then."""
    bench.services.one("claims").stop()
    bench.mark("bare_single")
    loop = bench.bare_loop("bare_single")
    sending = asyncio.create_task(_send(bench, SECONDS))
    try:
        async with bench.producer() as producer:
            for message in _paid(bench, 100):
                document = {"_id": (message.key or b"").decode() + claim_id(message)}
                started = time.monotonic()
                await producer.send(message.topic, key=message.key, value=message.value, headers=list(message.headers))
                await until(lambda d=document: bench.db["bare_single"].count_documents(d) == 1, WITHIN_S, every_s=0.002)
                seen.bare_ms.append((time.monotonic() - started) * 1000)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        bench.end(loop)
        bench.services.one("claims").launch()
        bench.services.one("claims").wait_ready()


def _paid(bench: Bench, count: int) -> list[Message]:
    found: list[Message] = []
    while len(found) < count:
        found += [m for m in bench.next_messages(50) if dict(m.headers)["ce_type"] == b"ClaimPaid"]
    return found[:count]


def claim_id(message: Message) -> str:
    """The claim that a record is about."""
    return (message.value or b"").split(b'"claim_id":"')[1].split(b'"')[0].decode()


def _rows(seen: Seen) -> Iterator[Row]:
    for quantile, goal in GOALS_MS.items():
        yield row(f"publish → stream, ms, p{quantile}, goal", _quantile(seen.stream_ms, quantile), goal)
    for quantile, goal in GOALS_MS.items():
        yield row(f"  … and the API's answer, p{quantile}, goal", _quantile(seen.api_ms, quantile), goal)
    for quantile in GOALS_MS:
        yield ("  bare loop: document readable, p" + str(quantile), "", f"{_quantile(seen.bare_ms, quantile):,.0f}", "")
    yield ("  claims looked for", f"{len(seen.api_ms)}", "", "")


def _quantile(times_ms: Sequence[float], quantile: int) -> float:
    return statistics.quantiles(times_ms, n=100)[quantile - 1]
