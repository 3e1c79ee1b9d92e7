"""What an outage, a kill -9 or ten uploads at once do to documents: nothing lost, nothing doubled, memory flat."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared import clock
from tests.processes import Service, until
from tests.services.documents.conftest import FAST, PDF, World, around, large_pdf, sha256
from tests.stack import RealServers

pytestmark = pytest.mark.servers

MIB = 1024 * 1024
PATIENT = {"MINIO_WAIT_SECONDS": "60", "MINIO_READ_SECONDS": "60"}
"""On a busy machine ten large uploads take their turns at the store for longer than a member would wait."""


@pytest.fixture
async def alone(infra: RealServers, auth: None, tmp_path: Path) -> AsyncIterator[World]:
    """A process of its own, to be killed and measured."""
    service = Service(infra.environment("documents") | FAST | PATIENT, tmp_path / "documents.log", name="documents")
    service.start()
    async with around(infra, service) as world:
        yield world
    service.close()


async def test_while_the_object_store_is_away_uploads_are_unavailable_and_work_again_afterwards(
    alone: World, number: str
) -> None:
    before = await alone.sent(number)
    await alone.until_status(number, before, "submitted")
    minio = alone.infra.process("minio")
    minio.kill()
    try:
        for content in (PDF, large_pdf(8_000_000)):
            answer = await alone.send(number, content)
            assert (answer.status, (await answer.json())["code"]) == (503, "unavailable")
            assert answer.get_header("retry-after")
        assert (await alone.get(number, f"/documents/{before}/content")).status == 503
        assert [item["document_id"] for item in await alone.listed(number)] == [before]
    finally:
        minio.start()
    after = await alone.sent(number)
    await alone.until_status(number, after, "submitted")
    assert [item["document_id"] for item in await alone.listed(number)] == [after, before]


async def test_ten_large_uploads_and_downloads_at_once_hold_no_whole_file_in_memory(alone: World, number: str) -> None:
    await alone.sent(number, large_pdf(6_000_000))  # what is made once is made
    content = large_pdf(19_000_000)
    before = _resident(alone.service)
    peak = asyncio.create_task(_peak(alone.service))
    ids = await asyncio.gather(*(alone.sent(number, content) for _ in range(10)))
    for document_id in ids:
        await alone.until_status(number, document_id, "submitted")
    answers = await asyncio.gather(*(alone.get(number, f"/documents/{document_id}/content") for document_id in ids))
    assert {sha256(bytes(await answer.bytes())) for answer in answers} == {sha256(content)}
    peak.cancel()
    await asyncio.gather(peak, return_exceptions=True)
    grown = _highest[alone.service.log] - before
    print(f"resident {before / MIB:.0f} MiB, grown by {grown / MIB:.0f} MiB at most")  # noqa: T201
    assert grown < 130 * MIB, f"{grown / MIB:.0f} MiB"  # the ten files are 181 MiB


async def test_a_process_killed_at_any_moment_loses_and_doubles_no_document(alone: World, number: str) -> None:
    taken: list[str] = []

    async def keep_sending() -> None:
        while len(taken) < 12:
            try:
                answer = await alone.send(number, large_pdf(random.choice((300, 2_000_000, 7_000_000))))  # noqa: S311
            except Exception:
                await asyncio.sleep(0.1)  # it was killed
                continue
            if answer.status == 201:
                taken.append((await answer.json())["document_id"])

    senders = [asyncio.create_task(keep_sending()) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(random.uniform(0.2, 0.7))  # noqa: S311
        alone.service.kill()
        # The killed process's leases would end after a minute: as if it had passed.
        alone.db["jobs"].update_many({"lease": {"$ne": None}}, {"$set": {"due_at": clock.now(), "lease": None}})
        await asyncio.to_thread(alone.service.start)
    await asyncio.gather(*senders)
    alone.db["jobs"].update_many({"kind": "sweep"}, {"$set": {"due_at": clock.now()}})  # as if an hour had passed

    for document_id in taken:
        await alone.until_status(number, document_id, "submitted")
    listed = {item["document_id"] for item in await alone.listed(number)}
    assert listed >= set(taken)  # one whose answer was lost is listed too
    for document_id in listed:
        await alone.until_status(number, document_id, "submitted")
    events = await alone.published(number)
    told = [event.data.document_id for event in {event.id: event for event in events}.values()]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(listed)
    assert listed <= alone.objects("documents-accepted").keys()
    await asyncio.to_thread(until, "no remains are in the intake", lambda: not alone.jobs(number), 90)
    assert alone.objects("documents-intake") == {}


_highest: dict[Path, int] = {}


async def _peak(service: Service) -> None:
    while True:
        _highest[service.log] = max(_highest.get(service.log, 0), _resident(service))
        await asyncio.sleep(0.02)


def _resident(service: Service) -> int:
    """Bytes of memory the process holds."""
    assert service.process
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024
