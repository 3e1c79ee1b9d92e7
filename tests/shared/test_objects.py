"""The object store client against a real MinIO: what it promises when all is well, refused, away or too much."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.objects import (
    ObjectNotFound,
    ObjectStore,
    ObjectStoreRefused,
    ObjectStoreSettings,
    ObjectStoreUnavailable,
    ObjectTooLarge,
)
from tests.stack import RealServers

pytestmark = pytest.mark.servers

PDF = "application/pdf"
NAMES = ("MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_REGION")


def store_of(infra: RealServers, **changes: object) -> ObjectStore:
    """The account of notifications, with changed settings."""
    environment = infra.environment("notifications")
    values: dict[str, Any] = {name.lower(): environment[name] for name in NAMES} | {"http_port": 1} | changes
    return ObjectStore(ObjectStoreSettings(**values), probe_bucket="letters")


@pytest.fixture
async def store(infra: RealServers) -> AsyncIterator[ObjectStore]:
    connected = store_of(infra)
    yield connected
    await connected.stop()


async def test_what_is_put_is_there_until_it_is_deleted(store: ObjectStore) -> None:
    assert not await store.exists("letters", "a.pdf")
    await store.put("letters", "a.pdf", b"one", PDF)
    await store.put("letters", "a.pdf", b"two", PDF)
    assert await store.exists("letters", "a.pdf")
    assert await store.get("letters", "a.pdf") == b"two"
    await store.delete("letters", "a.pdf")
    await store.delete("letters", "a.pdf")
    with pytest.raises(ObjectNotFound):
        await store.get("letters", "a.pdf")


async def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    await store.put("letters", "empty", b"", PDF)
    assert await store.get("letters", "empty") == b""
    await store.delete("letters", "empty")


async def test_a_foreign_bucket_is_refused_with_the_stores_own_code(store: ObjectStore) -> None:
    with pytest.raises(ObjectStoreRefused, match="AccessDenied"):
        await store.get("documents-accepted", "a.pdf")
    with pytest.raises(ObjectStoreRefused, match="AccessDenied"):
        await store.put("documents-accepted", "a.pdf", b"x", PDF)


async def test_a_wrong_secret_shows_in_the_state(infra: RealServers) -> None:
    stranger = store_of(infra, minio_secret_key="wrong-wrong-wrong")
    assert await stranger.state() == "refused: SignatureDoesNotMatch"
    await stranger.stop()


async def test_too_large_an_object_is_refused_in_both_directions(infra: RealServers, store: ObjectStore) -> None:
    small = store_of(infra, minio_max_object_bytes=1024)
    with pytest.raises(ObjectTooLarge):
        await small.put("letters", "big", b"x" * 1025, PDF)
    assert not await store.exists("letters", "big")
    await store.put("letters", "big", b"x" * 300_000, PDF)
    with pytest.raises(ObjectTooLarge):
        await small.get("letters", "big")
    await store.delete("letters", "big")
    await small.stop()


async def test_more_calls_than_threads_take_turns_on_as_many_connections(infra: RealServers) -> None:
    few = store_of(infra, minio_threads=2, minio_wait_seconds=30)
    await asyncio.gather(*(few.put("letters", f"turn-{i}", b"x" * 10_000, PDF) for i in range(40)))
    found = await asyncio.gather(*(few.get("letters", f"turn-{i}") for i in range(40)))
    assert [len(data) for data in found] == [10_000] * 40
    assert sum(thread.name.startswith("objects") for thread in threading.enumerate()) <= 2
    await asyncio.gather(*(few.delete("letters", f"turn-{i}") for i in range(40)))
    await few.stop()


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A server that accepts and never says a word."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    yield listener.sockets[0].getsockname()[1]
    listener.close()


def stuck_store(infra: RealServers, port: int) -> ObjectStore:
    """One thread, which a call that is never answered holds for 0.4 s; others wait 0.1 s for it."""
    return store_of(
        infra, minio_endpoint=f"127.0.0.1:{port}", minio_threads=1, minio_read_seconds=0.4, minio_wait_seconds=0.1
    )


async def test_a_store_that_never_answers_costs_only_the_time_limits(infra: RealServers, silent_port: int) -> None:
    stuck = stuck_store(infra, silent_port)
    started = time.monotonic()
    outcomes = await asyncio.gather(*(stuck.get("letters", "a") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, ObjectStoreUnavailable) for outcome in outcomes)
    assert [str(outcome) for outcome in outcomes].count("every thread is busy") == 2
    assert time.monotonic() - started < 3
    await stuck.stop()


async def test_a_call_nobody_waits_for_any_more_keeps_its_thread_until_it_ends(
    infra: RealServers, silent_port: int
) -> None:
    stuck = stuck_store(infra, silent_port)
    task = asyncio.create_task(stuck.get("letters", "a"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ObjectStoreUnavailable, match="every thread is busy"):
        await stuck.get("letters", "a")
    await asyncio.sleep(0.7)  # one time limit: a silent store is not asked twice
    with pytest.raises(ObjectStoreUnavailable, match="ReadTimeoutError"):
        await stuck.get("letters", "a")
    await stuck.stop()


async def test_after_an_outage_it_works_again_by_itself(infra: RealServers, store: ObjectStore) -> None:
    assert await store.state() == "ok"
    minio = infra.process("minio")
    minio.kill()
    try:
        assert await store.state() == "unreachable"
        with pytest.raises(ObjectStoreUnavailable):
            await store.put("letters", "a", b"x", PDF)
    finally:
        minio.start()
    assert await store.state() == "ok"
    await store.put("letters", "a", b"x", PDF)
    await store.delete("letters", "a")


async def test_once_stopped_it_is_unavailable(infra: RealServers) -> None:
    stopped = store_of(infra)
    await stopped.stop()
    with pytest.raises(ObjectStoreUnavailable):
        await stopped.get("letters", "a")
