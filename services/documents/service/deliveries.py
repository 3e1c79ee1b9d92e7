"""Documents from the insurer to a member: fetched from `deliveries`, checked, kept in our own bucket.

    copied ─→ our copy's sum checked ─→ [document + job of the original's deletion − job]

What is checked is what is kept: an object that is replaced between the check and the copy fools nobody.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.documents import filetypes, rules
from services.documents.models import ACCEPTED, DELIVERIES, Document, DocumentStatus, File, Step
from services.documents.service.intake import Place, discard, read_through
from services.documents.settings import DocumentsSettings
from services.documents.store import DocumentsStore
from shared.applier import Refused
from shared.clock import now
from shared.events.base import Event
from shared.events.casework import DocumentDelivered
from shared.jobs import Abandon, Job, Jobs, Postpone
from shared.live import key
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction
from shared.objects import ObjectNotFound, ObjectStore
from shared.sealing import Keyring

DELIVER = "deliver"

log = get_logger(__name__)


class Deliveries:
    """Fetches what the insurer delivers."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: DocumentsStore,
        jobs: Jobs,
        objects: ObjectStore,
        at_rest: Keyring,
        settings: DocumentsSettings,
    ) -> None:
        self._mongo, self._store, self._jobs, self._objects = mongo, store, jobs, objects
        self._at_rest, self._settings = at_rest, settings

    async def order(self, event: Event[DocumentDelivered], tx: Transaction) -> None:
        """Have the document fetched, now or as soon as its object is there."""
        data = event.data
        known = await self._store.find(data.member_number, data.document_id, tx)
        if known is not None and known.delivery is None:
            raise Refused("document_id_taken")
        await self._jobs.put(
            tx,
            id=f"{DELIVER}/{data.member_number}/{event.id}",
            kind=DELIVER,
            member_number=data.member_number,
            data={
                "event": self._at_rest.seal_at_rest(data.model_dump_json(), context=f"{DELIVER}/{event.id}"),
                "id": event.id,
                "time": event.time,
                "until": now() + timedelta(hours=self._settings.delivery_tried_hours),
                "copy": rules.delivered_object(event.source, event.id),
            },
        )

    async def deliver(self, job: Job) -> None:
        """Fetch, check, keep, list. An object that is not there, or not the one announced, may still come."""
        told = self._told(job.data)
        try:
            file = await self._fetched(told, job.data["copy"])
        except ObjectNotFound:
            file = None
        if file is None:
            if now() < job.data["until"]:
                raise Postpone(self._settings.delivery_retry_seconds)
            await self._give_up(job)
        else:
            await self._keep(job, told, file)

    def places(self, data: Mapping[str, Any]) -> list[Place]:
        """The objects of a delivery under way, from its job's data."""
        return [(DELIVERIES, self._told(data).object), (ACCEPTED, data["copy"])]

    def _told(self, data: Mapping[str, Any]) -> DocumentDelivered:
        sealed: str = data["event"]
        opened = self._at_rest.open_at_rest(sealed, context=f"{DELIVER}/{data['id']}")
        return DocumentDelivered.model_validate_json(opened)

    async def _fetched(self, told: DocumentDelivered, copy: str) -> File | None:
        """Our own copy; None while what lies in `deliveries` is not what was announced."""
        source = await self._objects.open(DELIVERIES, told.object)
        if source.size > self._settings.delivery_max_bytes:
            raise Abandon("delivery_too_large")
        await self._objects.copy(DELIVERIES, told.object, ACCEPTED, copy)
        found, _ = await read_through(self._objects, ACCEPTED, copy)
        if found.sha256 != told.sha256:
            return None
        head = b""
        async for piece in (await self._objects.open(ACCEPTED, copy)).pieces:
            head = piece[: filetypes.HEAD_BYTES]
            break
        media_type = filetypes.media_type(head) or filetypes.UNKNOWN
        return File(
            name=rules.safe_name(told.title, media_type),
            media_type=media_type,
            size=found.size,
            sha256=found.sha256,
            bucket=ACCEPTED,
            object=copy,
        )

    async def _keep(self, job: Job, told: DocumentDelivered, file: File) -> None:
        order = (job.data["time"], job.data["id"])
        document = _document(told, file, order)

        async def body(tx: Transaction) -> None:
            if not await self._jobs.done(tx, job):
                return
            places = [(DELIVERIES, told.object)]
            known = await self._store.find(told.member_number, told.document_id, tx)
            if known is not None and known.delivery is not None and known.delivery > order:
                places.append((ACCEPTED, file.object))  # a newer delivery of the same document is there already
            else:
                if known is not None and known.file is not None:
                    places.append((ACCEPTED, known.file.object))
                await self._store.save(tx, document)
            job_id = key(told.member_number, job.data["id"])
            await discard(tx, self._jobs, job_id=job_id, member_number=told.member_number, places=places)

        await self._mongo.transaction(body)

    async def _give_up(self, job: Job) -> None:
        """Nothing of the kind came in time: whatever was copied of it goes."""
        places = [(ACCEPTED, job.data["copy"])]

        async def body(tx: Transaction) -> None:
            if await self._jobs.done(tx, job):
                job_id = key(job.member_number, job.data["id"])
                await discard(tx, self._jobs, job_id=job_id, member_number=job.member_number, places=places)

        await self._mongo.transaction(body)
        log.warning("delivery_never_came", delivery=job.data["id"])


def _document(told: DocumentDelivered, file: File, order: tuple[object, str]) -> Document:
    at = now()
    return Document.model_validate(
        {
            "member_number": told.member_number,
            "document_id": told.document_id,
            "kind": told.kind,
            "received_at": at,
            "steps": (Step(status=DocumentStatus.DELIVERED, at=at),),
            "file_name": file.name,
            "file": file,
            "title": told.title,
            "delivery": order,
        }
    )
