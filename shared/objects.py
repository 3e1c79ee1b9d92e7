"""The object store (plain S3, MinIO): whole small objects in and out, bounded in threads, waits and bytes.

ObjectStoreError
├── ObjectStoreUnavailable    it may work later: no connection, time-out, 5xx, every thread busy
├── ObjectStoreRefused        it will not: credentials, bucket, policy; `code` is S3's own
│   └── ObjectNotFound        there is no such object
└── ObjectTooLarge            beyond `max_object_bytes`, in either direction
"""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from pydantic import Field, SecretStr

from shared.logs import get_logger
from shared.settings import ServiceSettings

T = TypeVar("T")

PROBE_OBJECT = "state-probe"
"""Never stored: asking for it tells whether the store answers, without knowing what it holds."""
_CHUNK_BYTES = 65_536
_PASSING_CODES = frozenset({"SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "ServiceUnavailable"})
_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchVersion"})

log = get_logger(__name__)


class ObjectStoreError(Exception):
    """Something about an object or its store. Its text holds codes, never a name or content."""


class ObjectStoreUnavailable(ObjectStoreError):
    """The store does not answer now; the same call may succeed later."""


class ObjectStoreRefused(ObjectStoreError):
    """The store answered no; only a change of settings or policy helps."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ObjectNotFound(ObjectStoreRefused):
    """There is no object of that name in that bucket."""


class ObjectTooLarge(ObjectStoreError):
    """The object has more bytes than this store may hold in memory."""


class ObjectStoreSettings(ServiceSettings):
    """What a process with an object store has besides. The region is always set: without it each client asks first."""

    minio_endpoint: str
    minio_access_key: str
    minio_secret_key: SecretStr
    minio_region: str = "eu-west-3"
    minio_secure: bool = False
    minio_threads: int = Field(default=8, ge=1, le=64)
    minio_connect_seconds: float = Field(default=2.0, gt=0)
    minio_read_seconds: float = Field(default=10.0, gt=0)
    minio_wait_seconds: float = Field(default=5.0, gt=0)
    """How long a call waits for a free thread before the store counts as unavailable."""
    minio_max_object_bytes: int = Field(default=33_554_432, ge=1024)


class ObjectStore:
    """The account of one service at the object store. Every method may raise the errors of this module."""

    name = "minio"
    required = False

    def __init__(self, settings: ObjectStoreSettings, *, probe_bucket: str) -> None:
        """`probe_bucket`: a bucket this account may read, asked for `PROBE_OBJECT` to tell the store's state."""
        self._threads = ThreadPoolExecutor(settings.minio_threads, thread_name_prefix="objects")
        self._slots = asyncio.Semaphore(settings.minio_threads)
        self._wait_s = settings.minio_wait_seconds
        self._max_bytes = settings.minio_max_object_bytes
        self._probe_bucket = probe_bucket
        self._pool = _pool(settings)
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
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
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

        await self._run(call)

    async def get(self, bucket: str, name: str) -> bytes:
        """The object's bytes."""
        return await self._run(lambda: self._read(bucket, name))

    async def delete(self, bucket: str, name: str) -> None:
        """Remove the object; one that is not there is no error."""
        await self._run(lambda: self._client.remove_object(bucket, name))

    async def exists(self, bucket: str, name: str) -> bool:
        """Whether the object is there."""
        try:
            await self._run(lambda: self._client.stat_object(bucket, name))
        except ObjectNotFound:
            return False
        return True

    def _read(self, bucket: str, name: str) -> bytes:
        response = self._client.get_object(bucket, name)
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

    async def _run(self, call: Callable[[], T]) -> T:
        """Run `call` on a thread of our own; the slot is free when the thread is, even if nobody waits any more."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise ObjectStoreUnavailable("every thread is busy") from None
        loop = asyncio.get_running_loop()

        def free(_future: Future[T]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._slots.release)

        try:
            future = self._threads.submit(call)
        except RuntimeError:  # stopped meanwhile
            self._slots.release()
            raise ObjectStoreUnavailable("stopped") from None
        future.add_done_callback(free)
        try:
            return await asyncio.wrap_future(future)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _translated(error) from None


def _pool(settings: ObjectStoreSettings) -> urllib3.PoolManager:
    """One connection a thread, so that none waits for one."""
    return urllib3.PoolManager(
        maxsize=settings.minio_threads,
        block=True,
        timeout=urllib3.Timeout(connect=settings.minio_connect_seconds, read=settings.minio_read_seconds),
        retries=_SecondTry(total=1, backoff_factor=0.1, redirect=0),
    )


class _SecondTry(urllib3.Retry):
    """One quick second try for a connection that the server closed meanwhile, none for an answer that never came."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: urllib3.BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """The retries that are left; raises the error where trying again would only double the wait."""
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _translated(error: Exception) -> ObjectStoreError:
    """The library's error as one of ours: what passes, what is not there, what is refused."""
    if isinstance(error, S3Error):
        code = error.code or "unknown"
        if code in _PASSING_CODES or error.response.status >= 500:
            return ObjectStoreUnavailable(code)
        return ObjectNotFound(code) if code in _MISSING_CODES else ObjectStoreRefused(code)
    if isinstance(error, MinioException) and not isinstance(error, ServerError | InvalidResponseError):
        return ObjectStoreRefused(type(error).__name__)
    return ObjectStoreUnavailable(type(error).__name__)
