"""The account of one service at the object store."""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import Part

from shared.logs import get_logger
from shared.objects.errors import (
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreRefused,
    ObjectStoreUnavailable,
    ObjectTooLarge,
)
from shared.objects.settings import ObjectStoreSettings
from shared.objects.threads import Threads, connections

PROBE_OBJECT = "state-probe"
"""Never stored: asking for it tells whether the store answers, without knowing what it holds."""
PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part of a multipart upload, the last one excepted."""
PIECE_BYTES = 1024 * 1024
"""What a reading stream asks for at a time."""
_CHUNK_BYTES = 65_536

_Headers = dict[str, str | list[str] | tuple[str]]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WrittenObject:
    """What a stream turned out to be once it was stored. `sha256`: 64 hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """An object about to be read: its size in bytes, and its pieces in order."""

    size: int
    pieces: AsyncIterator[bytes]


class ObjectStore:
    """Every method may raise the errors of `shared.objects.errors`."""

    name = "minio"
    required = False

    def __init__(self, settings: ObjectStoreSettings, *, probe_bucket: str) -> None:
        """`probe_bucket`: a bucket this account may read, asked for `PROBE_OBJECT` to tell the store's state."""
        self._threads = Threads(settings.minio_threads, settings.minio_wait_seconds)
        self._max_bytes = settings.minio_max_object_bytes
        self._probe_bucket = probe_bucket
        self._pool = connections(settings)
        self._client = Minio(
            settings.minio_endpoint,
            access_key=settings.minio_access_key,
            secret_key=settings.minio_secret_key.get_secret_value(),
            region=settings.minio_region,
            secure=settings.minio_secure,
            http_client=self._pool,
        )

    async def start(self) -> None:
        """Nothing to wait for: a store that is away now is met by the retries of whoever needs it."""

    async def stop(self) -> None:
        """Let the calls under way end, then close every connection."""
        await self._threads.stop()
        self._pool.clear()

    async def state(self) -> str:
        """`ok` if the store answers and knows this account, else why not."""
        try:
            await self.get(self._probe_bucket, PROBE_OBJECT)
        except ObjectStoreUnavailable:
            return "unreachable"
        except ObjectNotFound:
            return "ok"
        except ObjectStoreRefused as refusal:
            return f"refused: {refusal.code}"
        return "ok"

    async def put(self, bucket: str, name: str, data: bytes, content_type: str) -> None:
        """Store `data` whole under `name`; an object of that name is replaced in one step."""
        if len(data) > self._max_bytes:
            raise ObjectTooLarge

        def call() -> None:
            self._client.put_object(bucket, name, io.BytesIO(data), len(data), content_type)

        await self._threads.run(call)

    async def put_stream(
        self, bucket: str, name: str, pieces: AsyncIterator[bytes], content_type: str, *, max_bytes: int
    ) -> WrittenObject:
        """Store what `pieces` yields under `name`, which appears only once it is whole, and replaces in one step.

        Whatever ends it early, also an error of `pieces`, leaves no object; of a process that is killed a multipart
        upload may remain, for `abort_uploads`.
        """
        upload = _Upload(self._client, self._threads, bucket, name, content_type)
        digest, size, part = hashlib.sha256(), 0, bytearray()
        try:
            async for piece in pieces:
                size += len(piece)
                if size > max_bytes:
                    raise ObjectTooLarge
                digest.update(piece)
                part += piece
                if len(part) >= PART_BYTES:
                    await upload.add(part)
                    part = bytearray()
            await upload.finish(part)
        except BaseException:
            await upload.abort()
            raise
        return WrittenObject(size, digest.hexdigest())

    async def get(self, bucket: str, name: str) -> bytes:
        """The object's bytes."""
        return await self._threads.run(lambda: self._read(bucket, name, 0, 0))

    async def open(self, bucket: str, name: str) -> OpenedObject:
        """The object as a stream. An object that is replaced or deleted meanwhile breaks the stream off."""
        found = await self._threads.run(lambda: self._client.stat_object(bucket, name))
        size = found.size or 0
        return OpenedObject(size, self._pieces(bucket, name, size, found.etag))

    async def _pieces(self, bucket: str, name: str, size: int, etag: str | None) -> AsyncIterator[bytes]:
        for offset in range(0, size, PIECE_BYTES):
            length = min(PIECE_BYTES, size - offset)
            yield await self._threads.run(partial(self._read, bucket, name, offset, length, etag))

    async def copy(self, source_bucket: str, source_name: str, bucket: str, name: str) -> None:
        """Copy within the store; an object of the new name is replaced in one step."""
        source = CopySource(source_bucket, source_name)
        await self._threads.run(lambda: self._client.copy_object(bucket, name, source))

    async def delete(self, bucket: str, name: str) -> None:
        """Remove the object; one that is not there is no error."""
        await self._threads.run(lambda: self._client.remove_object(bucket, name))

    async def exists(self, bucket: str, name: str) -> bool:
        """Whether the object is there."""
        try:
            await self._threads.run(lambda: self._client.stat_object(bucket, name))
        except ObjectNotFound:
            return False
        return True

    async def abort_uploads(self, bucket: str, name: str) -> None:
        """Drop what was uploaded of `name` by streams that never ended. Needs s3:ListBucketMultipartUploads."""

        def call() -> None:
            # MinIO lists multipart uploads by an object's whole name only.
            for upload in self._client._list_multipart_uploads(bucket, prefix=name).uploads:
                if upload.object_name == name and upload.upload_id:
                    self._client._abort_multipart_upload(bucket, name, upload.upload_id)

        await self._threads.run(call)

    def _read(self, bucket: str, name: str, offset: int, length: int, etag: str | None = None) -> bytes:
        condition: _Headers = {"If-Match": etag} if etag else {}
        response = self._client.get_object(bucket, name, offset, length, condition)
        try:
            data = bytearray()
            for chunk in response.stream(_CHUNK_BYTES):
                data += chunk
                if len(data) > self._max_bytes:
                    raise ObjectTooLarge
            return bytes(data)
        finally:
            response.close()
            response.release_conn()


class _Upload:
    """One object on its way in: a single PUT while it is small, a multipart upload from the first full part on.

    The client's own `put_object` would read the stream on a thread of ours, which a slow sender would hold for as long
    as it likes; so its calls for single parts are used. They are not public: the client's version is pinned.
    """

    def __init__(self, client: Minio, threads: Threads, bucket: str, name: str, content_type: str) -> None:
        self._client, self._threads = client, threads
        self._bucket, self._name, self._content_type = bucket, name, content_type
        self._upload_id: str | None = None
        self._parts: list[Part] = []

    async def add(self, data: bytearray) -> None:
        """Store a part of at least `PART_BYTES`."""
        if self._upload_id is None:
            headers: _Headers = {"Content-Type": self._content_type}
            self._upload_id = await self._threads.run(
                lambda: self._client._create_multipart_upload(self._bucket, self._name, headers)
            )
        upload_id, number = self._upload_id, len(self._parts) + 1
        etag = await self._threads.run(
            lambda: self._client._upload_part(self._bucket, self._name, data, None, upload_id, number)  # type: ignore[arg-type]  # any buffer will do
        )
        self._parts.append(Part(number, etag))

    async def finish(self, rest: bytearray) -> None:
        """Store what is left; from here on the object is there."""
        if self._upload_id is None:
            source = io.BytesIO(rest)
            await self._threads.run(
                lambda: self._client.put_object(self._bucket, self._name, source, len(rest), self._content_type)
            )
            return
        if rest:
            await self.add(rest)
        upload_id = self._upload_id
        await self._threads.run(
            lambda: self._client._complete_multipart_upload(self._bucket, self._name, upload_id, self._parts)
        )

    async def abort(self) -> None:
        """Drop the parts, if the store can be told."""
        upload_id = self._upload_id
        if upload_id is None:
            return
        try:
            await self._threads.run(lambda: self._client._abort_multipart_upload(self._bucket, self._name, upload_id))
        except ObjectStoreError as error:
            log.warning("upload_not_aborted", error=type(error).__name__)
