"""How soon a member sees a claim while the payment system sends 200 a second: on the open stream, and by the API."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pyreqwest.client import Client, ClientBuilder

from benchmarks.bench import Bench, Row, row, until
from services.gateway.upstream import next_piece
from shared.events.membership import MemberEnrolled
from shared.events.record import Message

PER_SECOND: Final = 200
SECONDS: Final = 40
WARM_SECONDS: Final = 60
"""Of the same flow before that, unmeasured: a broker that was just started compiles itself, with half of its time."""
LISTENERS: Final = 10
"""Members who look on, of 500: every fiftieth claim is theirs. As many others ask for theirs without being told."""
FIRST_ASKED_MS: Final = 25.0
STEP_MS: Final = 1.0
UNSETTLED: Final = 30
"""Of the times at which a claim is asked for, the first are where the search began, not where half are seen."""
GOALS_MS: Final = {50: 25, 99: 100}
WITHIN_S: Final = 30.0


@dataclass
class Seen:
    """Milliseconds from the call that publishes, for each claim looked for."""

    stream_ms: list[float] = field(default_factory=list)
    asked_ms: list[float] = field(default_factory=list)
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
        async with _Listening(bench, client, seen).begun() as listening, _Asking(bench, client, seen).begun() as asking:
            await _send(bench, SECONDS, (listening.sending, asking.sending))
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


class _Claims:
    """The claims of some members of which nothing was told before they are paid: what is seen is then the payment."""

    def __init__(self, members: Sequence[MemberEnrolled]) -> None:
        self.of = {member.member_number for member in members}
        self._told: set[str] = set()

    def paid_at_once(self, message: Message) -> str | None:
        """The claim that `message` pays, if it is one of these."""
        if (message.key or b"").decode() not in self.of:
            return None
        claim = claim_id(message)
        is_new = claim not in self._told
        self._told.add(claim)
        return claim if is_new and dict(message.headers)["ce_type"] == b"ClaimPaid" else None


class _Listening:
    """Some members with an open stream through the gateway; asks the API for each of their claims once told of it."""

    def __init__(self, bench: Bench, client: Client, seen: Seen) -> None:
        self._bench, self._client, self._seen = bench, client, seen
        self._sent: dict[str, float] = {}
        self._claims = _Claims(bench.members[:LISTENERS])

    @asynccontextmanager
    async def begun(self) -> AsyncIterator["_Listening"]:
        """Listen until the block ends and every claim sent in it was seen."""
        greeted = {member: asyncio.Event() for member in self._claims.of}
        tasks = [asyncio.create_task(self._listen(*one)) for one in greeted.items()]
        try:
            async with asyncio.timeout(WITHIN_S):
                await asyncio.gather(*(event.wait() for event in greeted.values()))
            yield self
            await until(lambda: not self._sent, WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def sending(self, message: Message) -> None:
        """The clock starts for a claim of a member who listens."""
        if claim := self._claims.paid_at_once(message):
            self._sent[claim] = time.monotonic()

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
                    if not await _is_there(self._bench, self._client, claim, authorization):
                        raise RuntimeError("announced and not there")
                    self._seen.api_ms.append((time.monotonic() - sent) * 1000)
                    del self._sent[claim]


class _Asking:
    """Some members whom nobody tells: each asks the API for a claim once, whether it is there yet or not.

    The up-and-down method (Dixon and Mood, 1948): a step sooner than the last one asked if that claim was there, a step
    later if not, so that half of them are. Asking again and again would load what is measured.
    """

    def __init__(self, bench: Bench, client: Client, seen: Seen) -> None:
        self._bench, self._client, self._seen = bench, client, seen
        self._claims = _Claims(bench.members[LISTENERS : 2 * LISTENERS])
        self._after_ms = FIRST_ASKED_MS
        self._group = asyncio.TaskGroup()

    @asynccontextmanager
    async def begun(self) -> AsyncIterator["_Asking"]:
        """Ask until the block ends and every answer has come."""
        async with self._group:
            yield self

    def sending(self, message: Message) -> None:
        """Ask for it in a moment, if it is a claim of theirs."""
        if claim := self._claims.paid_at_once(message):
            self._group.create_task(self._ask((message.key or b"").decode(), claim, time.monotonic()))

    async def _ask(self, member_number: str, claim: str, sent: float) -> None:
        authorization = f"Bearer {self._bench.token(member_number)}"
        await asyncio.sleep(max(0.0, sent + self._after_ms / 1000 - time.monotonic()))
        found = await _is_there(self._bench, self._client, claim, authorization)
        self._seen.asked_ms.append((time.monotonic() - sent) * 1000)
        self._after_ms += -STEP_MS if found else STEP_MS


async def _is_there(bench: Bench, client: Client, claim: str, authorization: str) -> bool:
    url = f"{bench.gateway_url()}/api/v1/reimbursements/{claim}"
    answer = await client.get(url).header("authorization", authorization).build().send()
    if answer.status not in {200, 404}:
        raise RuntimeError(f"neither there nor not: {answer.status}")
    return answer.status == 200


async def _send(bench: Bench, seconds: int, told: Sequence[Callable[[Message], None]] = ()) -> None:
    """200 a second, each at its time; `told` of each before it is sent."""
    messages = bench.next_messages(PER_SECOND * seconds)
    started = time.monotonic()
    for number, message in enumerate(messages):
        await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.monotonic()))
        for tell in told:
            tell(message)
        bench.send(message)


async def _bare(bench: Bench, seen: Seen) -> None:
    """The same while the bare loop writes: publish → the document can be read, for a claim every now and then."""
    bench.services.one("claims").stop()
    bench.mark("bare_single")
    loop = bench.bare_loop("bare_single")
    sending = asyncio.create_task(_send(bench, SECONDS))
    try:
        for message in _paid(bench, 101):
            document = {"_id": (message.key or b"").decode() + claim_id(message)}
            started = time.monotonic()
            bench.send(message)
            await until(lambda d=document: bench.db["bare_single"].count_documents(d) == 1, WITHIN_S, every_s=0.002)
            seen.bare_ms.append((time.monotonic() - started) * 1000)
        del seen.bare_ms[0]  # it waited for the loop's process to start
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
    half_seen_ms = statistics.median(seen.asked_ms[UNSETTLED:])
    yield row("publish → an API answer that half see it in, ms", half_seen_ms, GOALS_MS[50])
    for quantile, goal in GOALS_MS.items():
        yield row(f"publish → stream → API's answer, ms, p{quantile}, goal", _quantile(seen.api_ms, quantile), goal)
    for quantile in GOALS_MS:
        yield ("  bare loop: document readable, p" + str(quantile), "", f"{_quantile(seen.bare_ms, quantile):,.0f}", "")
    yield ("  claims looked for", f"{len(seen.api_ms)}", "", "")


def _quantile(times_ms: Sequence[float], quantile: int) -> float:
    return statistics.quantiles(times_ms, n=100)[quantile - 1]
