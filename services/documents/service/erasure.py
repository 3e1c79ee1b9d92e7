"""Forgetting a member: rows and jobs at once, objects by jobs that do not tire."""

from datetime import timedelta

from services.documents.models import ACCEPTED, INTAKE
from services.documents.service.deliveries import Deliveries
from services.documents.service.intake import DISCARD, Place, discard
from services.documents.store import DocumentsStore
from shared.clock import now
from shared.events.auth import MemberErased
from shared.events.base import Event
from shared.jobs import Jobs
from shared.mongo import Transaction

AGAIN_AFTER = timedelta(minutes=30)
"""Longer than an upload or a job that was under way when its member was erased."""


class Erasure:
    """Deletes what documents holds of a member."""

    def __init__(self, store: DocumentsStore, jobs: Jobs, deliveries: Deliveries) -> None:
        self._store, self._jobs, self._deliveries = store, jobs, deliveries

    async def erase(self, event: Event[MemberErased], tx: Transaction) -> None:
        """Forget the member. What was under way finds its job gone, and writes nothing."""
        number = event.data.member_number
        places = await self._places(number, tx)
        await self._jobs.drop(tx, {"member_number": number, "kind": {"$ne": DISCARD}})
        await self._store.forget(tx, number)
        for job_id, at in ((event.id, None), (f"{event.id}/again", now() + AGAIN_AFTER)):
            await discard(tx, self._jobs, job_id=job_id, member_number=number, places=places, not_before=at)

    async def _places(self, member_number: str, tx: Transaction) -> list[Place]:
        """Every object of the member, also of uploads and deliveries under way."""
        places: list[Place] = []
        for document in await self._store.of_member(tx, member_number):
            places += [(INTAKE, document.document_id), (ACCEPTED, document.document_id)]
            if document.file is not None:
                places.append((document.file.bucket, document.file.object))
        for data in await self._jobs.data_of(tx, member_number):
            if "document_id" in data:
                places.append((INTAKE, data["document_id"]))
            if "event" in data:
                places += self._deliveries.places(data)
        return list(dict.fromkeys(places))
