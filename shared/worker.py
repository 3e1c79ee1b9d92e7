"""Does the jobs that were put, some at a time, again and again until each is done, postponed or given up."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from shared.backoff import Backoff
from shared.errors import Unavailable
from shared.jobs import Abandon, Job, JobHandler, Jobs, Postpone
from shared.logs import get_logger
from shared.tracing import following

IDLE_POLL_S = 0.5
RETRY_CAP_S = 300.0

JOBS = Counter("espace_jobs_total", "Jobs by what became of a try.", ["kind", "outcome"])
WAITING = Gauge("espace_jobs_waiting", "Jobs whose time has come and that nobody works on.", ["worker"])

log = get_logger(__name__)


class Worker:
    """Does the jobs of some kinds, `concurrency` at a time."""

    required = False

    def __init__(self, name: str, jobs: Jobs, handlers: Mapping[str, JobHandler], *, concurrency: int = 1) -> None:
        self.name = name
        self._jobs, self._handlers, self._concurrency = jobs, dict(handlers), concurrency
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._trouble = ""

    async def start(self) -> None:
        """Begin in the background."""
        self._tasks = [asyncio.create_task(self._run(), name=self.name) for _ in range(self._concurrency)]

    async def stop(self) -> None:
        """Let the jobs under way end."""
        self._stopping.set()
        self._jobs.put_here.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def state(self) -> str:
        """`ok`, or why jobs stand."""
        return self._trouble or "ok"

    async def _run(self) -> None:
        backoff = Backoff(first_s=0.2, cap_s=5.0)
        while not self._stopping.is_set():
            try:
                job = await self._jobs.lease(list(self._handlers))
                self._trouble = ""
                if job is not None:
                    await self._do(job)
                    backoff.reset()
                else:
                    WAITING.labels(self.name).set(0)
                    await self._idle()
            except (PyMongoError, Unavailable) as error:
                self._trouble = f"waiting: {type(error).__name__}"
                await backoff.sleep()
            except Exception as error:  # nobody else would notice that jobs are no longer done
                self._trouble = f"failing: {type(error).__name__}"
                log.exception("worker_failed")
                await backoff.sleep()

    async def _idle(self) -> None:
        try:
            await asyncio.wait_for(self._jobs.put_here.wait(), IDLE_POLL_S)
        except TimeoutError:
            return
        if not self._stopping.is_set():
            self._jobs.put_here.clear()
            await asyncio.sleep(0.01)  # the transaction that put it is about to commit

    async def _do(self, job: Job) -> None:
        if job.expires_at is not None and job.expires_at <= datetime.now(UTC):
            await self._forget(job, "expired")
            return
        try:
            with following(job.traceparent):
                await self._handlers[job.kind](job)
        except Postpone as postpone:
            JOBS.labels(job.kind, "postponed").inc()
            await self._jobs.later(job, postpone.seconds, failed=False)
        except Abandon as abandon:
            await self._forget(job, abandon.reason)
        except Exception as error:
            JOBS.labels(job.kind, "failed").inc()
            delay_s = min(RETRY_CAP_S, 0.5 * 2 ** min(job.attempts, 20))
            log.warning(
                "job_failed",
                kind=job.kind,
                job=job.id,
                attempts=job.attempts + 1,
                retry_in_s=delay_s,
                error=type(error).__name__,
                exc_info=error,
            )
            await self._jobs.later(job, delay_s, failed=True)
        else:
            JOBS.labels(job.kind, "done").inc()

    async def _forget(self, job: Job, reason: str) -> None:
        JOBS.labels(job.kind, "abandoned").inc()
        log.warning("job_abandoned", kind=job.kind, job=job.id, reason=reason)
        await self._jobs.forget(job)
