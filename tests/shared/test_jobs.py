"""Jobs on a real database: done once, retried after a failure, taken over after a kill, dropped when expired."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared import jobs
from shared.jobs import Abandon, Job, Jobs, Postpone
from shared.mongo import Document, Mongo, Transaction
from shared.tracing import current_traceparent, following
from shared.worker import Worker
from tests.shared.workbench import until
from tests.stack import RealServers

pytestmark = pytest.mark.servers


@pytest.fixture
async def mongo(infra: RealServers) -> AsyncIterator[Mongo]:
    """A database of the test's own."""
    part = Mongo(infra.mongo_admin_url, f"test-{uuid4().hex[:8]}", collections={**jobs.collections(), "done": []})
    await part.start()
    yield part
    await part.db.client.drop_database(part.db.name)
    await part.stop()


class Bench:
    """One kind of job: its handler does what `word` says and writes a row when done."""

    def __init__(self, mongo: Mongo) -> None:
        self.mongo, self.jobs, self.tries = mongo, Jobs(mongo), 0

    async def put(
        self,
        word: str,
        *,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
        first_put_at: datetime | None = None,
    ) -> None:
        async def body(tx: Transaction) -> None:
            await self.jobs.put(
                tx,
                id=f"job-{word}",
                kind="write",
                member_number="12345678",
                data={"word": word},
                not_before=not_before,
                expires_at=expires_at,
                first_put_at=first_put_at,
            )

        await self.mongo.transaction(body)

    async def handle(self, job: Job) -> None:
        self.tries += 1
        if job.data["word"] == "fail once" and job.attempts == 0:
            raise RuntimeError
        if job.data["word"] == "postpone once" and self.tries == 1:
            raise Postpone(0.2)
        if job.data["word"] == "abandon":
            raise Abandon("no_use")
        if job.data["word"] == "hang" and self.tries == 1:
            await asyncio.sleep(3600)

        async def body(tx: Transaction) -> None:
            if await self.jobs.done(tx, job):
                await tx.db["done"].insert_one({"word": job.data["word"]}, session=tx.session)

        await self.mongo.transaction(body)

    def worker(self, concurrency: int = 1) -> Worker:
        return Worker("bench", self.jobs, {"write": self.handle}, concurrency=concurrency)

    async def done(self) -> list[str]:
        return [row["word"] async for row in self.mongo.db["done"].find()]

    async def open(self) -> int:
        return await self.mongo.db["jobs"].count_documents({})


@pytest.fixture
def bench(mongo: Mongo) -> Bench:
    return Bench(mongo)


@pytest.mark.parametrize("word", ["plain", "fail once", "postpone once"])
async def test_a_job_is_done_once_however_it_starts(bench: Bench, word: str) -> None:
    await bench.put(word)
    worker = bench.worker(concurrency=3)
    await worker.start()
    await until(bench.done, "the job")
    await worker.stop()
    assert await bench.done() == [word]
    assert await bench.open() == 0


async def test_a_worker_outlives_what_nobody_foresaw(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    lease, failures = bench.jobs.lease, [RuntimeError(), KeyError()]

    async def fail_first(kinds: Sequence[str]) -> Job | None:
        if failures:
            raise failures.pop()
        return await lease(kinds)

    monkeypatch.setattr(bench.jobs, "lease", fail_first)
    await bench.put("plain")
    worker = bench.worker()
    await worker.start()
    await until(bench.done, "the job")
    assert await worker.state() == "ok"
    await worker.stop()


async def test_a_job_whose_worker_died_is_taken_over_when_its_lease_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_S", 1)
    await bench.put("hang")
    dead, alive = bench.worker(), bench.worker()
    await dead.start()
    await until(lambda: _true(bench.tries), "the first try")
    await alive.start()
    await until(bench.done, "the second try")
    await alive.stop()
    for task in dead._tasks:
        task.cancel()
    assert bench.tries == 2
    assert await bench.done() == ["hang"]


async def test_a_job_replaced_while_it_runs_is_not_done_by_the_old_worker(bench: Bench) -> None:
    await bench.put("plain")
    old = await bench.jobs.lease(["write"])
    assert old is not None
    await bench.put("plain")
    await bench.handle(old)
    assert await bench.done() == []
    assert await bench.open() == 1


async def test_an_abandoned_and_an_expired_job_are_dropped(bench: Bench) -> None:
    await bench.put("abandon")
    await bench.put("late", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    worker = bench.worker()
    await worker.start()

    async def none_open() -> bool:
        return await bench.open() == 0

    await until(none_open, "both to go")
    await worker.stop()
    assert await bench.done() == []


async def test_what_a_transaction_has_put_it_can_wake_list_and_withdraw(bench: Bench) -> None:
    later = datetime.now(UTC) + timedelta(days=1)

    async def body(tx: Transaction) -> list[Document]:
        for word in ("wanted", "withdrawn"):
            await bench.jobs.put(
                tx, id=f"job-{word}", kind="write", member_number="12345678", data={"word": word}, not_before=later
            )
        listed = await bench.jobs.data_of(tx, "12345678")
        await bench.jobs.wake(tx, kind="write", member_numbers=["12345678"])
        assert await bench.jobs.withdraw(tx, "job-withdrawn")
        return listed

    assert await bench.mongo.transaction(body) == [{"word": "wanted"}, {"word": "withdrawn"}]
    due = await bench.jobs.lease(["write"])
    assert due is not None
    assert (due.id, await bench.open()) == ("job-wanted", 1)


async def test_a_job_goes_on_in_the_trace_in_which_it_was_put(bench: Bench) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with following(trace):
        await bench.put("traced")
    seen: asyncio.Queue[str | None] = asyncio.Queue()

    async def note(_job: Job) -> None:
        seen.put_nowait(current_traceparent.get())

    worker = Worker("traced", bench.jobs, {"write": note})
    await worker.start()
    assert await asyncio.wait_for(seen.get(), 10) == trace
    await worker.stop()
    assert current_traceparent.get() is None


async def test_a_job_is_not_done_before_its_time(bench: Bench) -> None:
    await bench.put("early", not_before=datetime.now(UTC) + timedelta(seconds=1.5))
    worker = bench.worker()
    await worker.start()
    await asyncio.sleep(0.7)
    assert await bench.done() == []
    await until(bench.done, "the job at its time")
    await worker.stop()


async def _true(value: int) -> bool:
    return value > 0


async def test_a_job_put_again_while_it_is_worked_on_is_done_again_later(mongo: Mongo) -> None:
    bench = Bench(mongo)
    await bench.put("a")
    job = await bench.jobs.lease(["write"])
    assert job is not None
    await bench.put("a", not_before=datetime.now(UTC) + timedelta(seconds=60), first_put_at=job.first_put_at)
    await bench.handle(job)
    assert await bench.done() == []
    assert await bench.open() == 1
    row = await mongo.db["jobs"].find_one({"_id": "job-a"})
    assert row is not None
    assert row["first_put_at"] == job.first_put_at
