"""The threads on which the store's blocking client runs: its own, few, and never waited for without end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import urllib3
from minio.error import MinioException

from shared.objects.errors import ObjectStoreUnavailable, translated
from shared.objects.settings import ObjectStoreSettings

T = TypeVar("T")


class Threads:
    """Runs calls on `count` threads; a call waits `wait_s` for a free one."""

    def __init__(self, count: int, wait_s: float) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="objects")
        self._slots = asyncio.Semaphore(count)
        self._wait_s = wait_s

    async def stop(self) -> None:
        """Let the calls under way end."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def run(self, call: Callable[[], T]) -> T:
        """The result of `call`; the slot is free when the thread is, even if nobody waits any more.

        Raises the errors of `shared.objects.errors`.
        """
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
            future = self._pool.submit(call)
        except RuntimeError:  # stopped meanwhile
            self._slots.release()
            raise ObjectStoreUnavailable("stopped") from None
        future.add_done_callback(free)
        try:
            return await asyncio.wrap_future(future)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise translated(error) from None


def connections(settings: ObjectStoreSettings) -> urllib3.PoolManager:
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
