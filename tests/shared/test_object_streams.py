"""Large objects as streams, on a real MinIO: whole or not there, and no more in memory than a part."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from minio import Minio

from deploy.topology import REGION
from shared.objects import (
    ObjectNotFound,
    ObjectStore,
    ObjectStoreRefused,
    ObjectStoreSettings,
    ObjectStoreUnavailable,
    ObjectTooLarge,
)
from tests.shared.test_objects import NAMES
from tests.stack import RealServers

pytestmark = pytest.mark.servers

INTAKE, ACCEPTED, PDF = "documents-intake", "documents-accepted", "application/pdf"
LIMIT = 30_000_000


@pytest.fixture
async def store(infra: RealServers) -> AsyncIterator[ObjectStore]:
    """The account of documents, with two threads, for which a call waits 1.5 s."""
    environment = infra.environment("documents")
    values: dict[str, Any] = {name.lower(): environment[name] for name in NAMES} | {"http_port": 1}
    values |= {"minio_threads": 2, "minio_wait_seconds": 1.5}
    connected = ObjectStore(ObjectStoreSettings(**values), probe_bucket=ACCEPTED)
    yield connected
    await connected.stop()


@pytest.fixture
def root(infra: RealServers) -> Minio:
    minio = infra.servers.minio
    return Minio(minio.endpoint, minio.root_user, minio.root_password, secure=False, region=REGION)


async def cut(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def fetched(store: ObjectStore, bucket: str, name: str) -> bytes:
    opened = await store.open(bucket, name)
    data = b"".join([piece async for piece in opened.pieces])
    assert len(data) == opened.size
    return data


def left(root: Minio, name: str) -> int:
    """Multipart uploads that never ended."""
    return len(root._list_multipart_uploads(INTAKE, prefix=name).uploads)


@pytest.mark.parametrize("size", [0, 1, 1_048_576, 5_242_880, 5_242_881, 12_345_678])
async def test_what_is_streamed_in_is_streamed_out(store: ObjectStore, size: int) -> None:
    data = secrets.token_bytes(size)
    written = await store.put_stream(INTAKE, "s", cut(data), PDF, max_bytes=LIMIT)
    assert (written.size, written.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert await fetched(store, INTAKE, "s") == data
    await store.copy(INTAKE, "s", ACCEPTED, "copy")
    assert await fetched(store, ACCEPTED, "copy") == data
    await store.delete(INTAKE, "s")
    await store.delete(ACCEPTED, "copy")


@pytest.mark.parametrize("size", [1000, 11_000_000])
async def test_a_source_that_breaks_off_leaves_nothing(store: ObjectStore, root: Minio, size: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for piece in cut(b"x" * size):
            yield piece
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put_stream(INTAKE, "broken", broken(), PDF, max_bytes=LIMIT)
    assert not await store.exists(INTAKE, "broken")
    assert left(root, "broken") == 0


async def test_too_much_is_refused_and_leaves_nothing(store: ObjectStore, root: Minio) -> None:
    with pytest.raises(ObjectTooLarge):
        await store.put_stream(INTAKE, "much", cut(b"x" * 8_000_001), PDF, max_bytes=8_000_000)
    assert not await store.exists(INTAKE, "much")
    assert left(root, "much") == 0


async def test_the_parts_of_a_killed_upload_are_found_by_name_and_dropped(store: ObjectStore, root: Minio) -> None:
    upload_id = root._create_multipart_upload(INTAKE, "killed", {"Content-Type": PDF})
    root._upload_part(INTAKE, "killed", b"x" * 5_242_880, None, upload_id, 1)
    other = root._create_multipart_upload(INTAKE, "killed-not", {"Content-Type": PDF})
    await store.abort_uploads(INTAKE, "killed")
    assert (left(root, "killed"), left(root, "killed-not")) == (0, 1)
    root._abort_multipart_upload(INTAKE, "killed-not", other)
    with pytest.raises(ObjectStoreRefused, match="AccessDenied"):  # where only the intake's own account may look
        await store.abort_uploads("deliveries", "killed")


async def test_slow_streams_hold_no_thread_between_two_pieces(store: ObjectStore) -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 10
            await asyncio.sleep(0.5)

    await store.put(INTAKE, "read", b"x" * 3_000_000, PDF)
    readers = [await store.open(INTAKE, "read") for _ in range(6)]
    for reader in readers:
        await anext(reader.pieces)
    writers = [store.put_stream(INTAKE, f"slow-{n}", slow(), PDF, max_bytes=LIMIT) for n in range(6)]
    await asyncio.gather(*writers)  # a stream of 2 s that held a thread would make the others unavailable
    for n in range(6):
        await store.delete(INTAKE, f"slow-{n}")
    await store.delete(INTAKE, "read")


async def test_an_object_replaced_while_it_is_read_breaks_the_stream_off(store: ObjectStore) -> None:
    await store.put(INTAKE, "moving", b"a" * 2_000_000, PDF)
    opened = await store.open(INTAKE, "moving")
    await anext(opened.pieces)
    await store.put(INTAKE, "moving", b"b" * 2_000_000, PDF)
    with pytest.raises(ObjectStoreRefused, match="PreconditionFailed"):
        await anext(opened.pieces)
    await store.delete(INTAKE, "moving")
    with pytest.raises(ObjectNotFound):
        await store.open(INTAKE, "moving")


async def test_an_outage_in_the_middle_is_unavailable(infra: RealServers, store: ObjectStore, root: Minio) -> None:
    minio = infra.process("minio")

    async def interrupted() -> AsyncIterator[bytes]:
        yield b"x" * 6_000_000
        await asyncio.to_thread(minio.kill)
        yield b"x" * 6_000_000

    try:
        with pytest.raises(ObjectStoreUnavailable):
            await store.put_stream(INTAKE, "outage", interrupted(), PDF, max_bytes=LIMIT)
    finally:
        minio.start()
    for _ in range(300):  # it answers before it is ready
        if await store.state() == "ok":
            break
        await asyncio.sleep(0.1)
    assert not await store.exists(INTAKE, "outage")
    await store.abort_uploads(INTAKE, "outage")
    assert left(root, "outage") == 0
