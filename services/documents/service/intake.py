"""What happens to a file once it is here: checked, moved to where casework reads it, announced; or refused.

    check: intake object read ─→ copied to accepted ─→ [status + event + job of the intake object's deletion − job]

A process killed between any two steps leaves the job, and the next try does the same again under the same names.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.documents import filetypes, rules
from services.documents.models import ACCEPTED, INTAKE, Document, DocumentStatus, File, Step
from services.documents.settings import DocumentsSettings
from services.documents.store import DocumentsStore
from shared.clock import now
from shared.events.base import Event
from shared.events.documents import DocumentRefused
from shared.jobs import Job, JobHandler, Jobs
from shared.mongo import Mongo, Transaction
from shared.objects import ObjectStore, WrittenObject

CHECK = "intake"
SWEEP = "sweep"
DISCARD = "discard"

UNREADABLE = "file_unreadable"

Place = tuple[str, str]
"""Bucket and name of an object."""


class Damaged(Exception):
    """The store does not give back what was put: nothing is announced, and the job is tried again."""


def sweep_id(document_id: str) -> str:
    """The job that removes what is left of an upload."""
    return f"{SWEEP}/{document_id}"


async def discard(
    tx: Transaction,
    jobs: Jobs,
    *,
    job_id: str,
    member_number: str,
    places: Sequence[Place],
    not_before: datetime | None = None,
) -> None:
    """Have these objects deleted once `tx` is committed, however often that must be tried."""
    data = {"places": [list(place) for place in places]}
    await jobs.put(
        tx, id=f"{DISCARD}/{job_id}", kind=DISCARD, member_number=member_number, data=data, not_before=not_before
    )


class Intake:
    """Works on what came in."""

    def __init__(
        self, mongo: Mongo, store: DocumentsStore, jobs: Jobs, objects: ObjectStore, settings: DocumentsSettings
    ) -> None:
        self._mongo, self._store, self._jobs, self._objects = mongo, store, jobs, objects
        self._kept = timedelta(seconds=settings.intake_kept_seconds)

    def housekeeping(self) -> Mapping[str, JobHandler]:
        """What removes objects."""
        return {SWEEP: self.sweep, DISCARD: self.discard}

    async def check(self, job: Job) -> None:
        """Submit the document of `job`, or refuse it."""
        document = await self._store.find(job.member_number, job.data["document_id"])
        if document is None or document.file is None or document.stage is not DocumentStatus.RECEIVED:
            await self._finish(job)
            return
        if not await self._is_readable(document.file):
            await self._refuse(job, document)
            return
        await self._objects.copy(INTAKE, document.file.object, ACCEPTED, document.file.object)
        await self._submit(job, document, document.file.model_copy(update={"bucket": ACCEPTED}))

    async def sweep(self, job: Job) -> None:
        """Remove what an upload left behind that never became a document."""
        name = job.data["document_id"]
        await self._objects.abort_uploads(INTAKE, name)
        await self._objects.delete(INTAKE, name)
        await self._finish(job)

    async def discard(self, job: Job) -> None:
        """Delete the objects that the job names."""
        for bucket, name in job.data["places"]:
            await self._objects.delete(bucket, name)
        await self._finish(job)

    async def _is_readable(self, file: File) -> bool:
        found, tail = await read_through(self._objects, file.bucket, file.object)
        if found != WrittenObject(file.size, file.sha256):
            raise Damaged
        return filetypes.is_readable(file.media_type, found.size, tail)

    async def _submit(self, job: Job, document: Document, file: File) -> None:
        announced = rules.submitted(document, file, original_sha256=file.sha256)

        async def body(tx: Transaction) -> None:
            current = await self._taken(tx, job)
            if current is None:
                return
            step = Step(status=DocumentStatus.SUBMITTED, at=now())
            await self._store.save(tx, rules.reached(current, step, file))
            tx.publish(Event.of(announced, subject=document.document_id))
            await self._discard_intake(tx, document, now() + self._kept)

        await self._mongo.transaction(body)

    async def _refuse(self, job: Job, document: Document) -> None:
        async def body(tx: Transaction) -> None:
            current = await self._taken(tx, job)
            if current is None:
                return
            step = Step(status=DocumentStatus.REFUSED, at=now(), reason_code=UNREADABLE)
            await self._store.save(tx, rules.reached(current, step, None))
            refused = DocumentRefused(
                member_number=document.member_number, document_id=document.document_id, reason_code=UNREADABLE
            )
            tx.publish(Event.of(refused, subject=document.document_id))
            await self._discard_intake(tx, document, None)

        await self._mongo.transaction(body)

    async def _taken(self, tx: Transaction, job: Job) -> Document | None:
        """The document, its job done; None if the job is somebody else's by now, or the member was erased."""
        if not await self._jobs.done(tx, job):
            return None
        return await self._store.find(job.member_number, job.data["document_id"], tx)

    async def _discard_intake(self, tx: Transaction, document: Document, not_before: datetime | None) -> None:
        await discard(
            tx,
            self._jobs,
            job_id=document.document_id,
            member_number=document.member_number,
            places=[(INTAKE, document.document_id)],
            not_before=not_before,
        )

    async def _finish(self, job: Job) -> None:
        await self._mongo.transaction(lambda tx: self._jobs.done(tx, job))


async def read_through(objects: ObjectStore, bucket: str, name: str) -> tuple[WrittenObject, bytes]:
    """What the object really is, read piece by piece: size, sum, and its last bytes."""
    digest, size, tail = hashlib.sha256(), 0, b""
    async for piece in (await objects.open(bucket, name)).pieces:
        digest.update(piece)
        size += len(piece)
        tail = (tail + piece)[-filetypes.TAIL_BYTES :]
    return WrittenObject(size, digest.hexdigest()), tail
