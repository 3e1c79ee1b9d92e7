"""Taking in a file: the bytes into the intake as they come, then the document and its job in one transaction.

    sweep job ─→ bytes ─→ [document + intake job − sweep job]

The sweep job is there before the first byte and becomes due long after the last one. What is refused or broken off is
removed at once; what that misses (a killed process, a store that is away) the sweep removes.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from services.documents import filetypes, rules
from services.documents.errors import FileTypeNotAccepted, TooSlow
from services.documents.models import INTAKE, Document, DocumentStatus, File, Step
from services.documents.schemas import Submission
from services.documents.service import intake
from services.documents.settings import DocumentsSettings
from services.documents.store import AlreadySent, DocumentsStore
from shared.clock import now
from shared.errors import FieldError, FileTooLarge, Invalid, TooLarge, Unavailable
from shared.ids import new_id
from shared.jobs import Jobs
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction
from shared.multipart import Multipart, Part
from shared.objects import ObjectStore, ObjectStoreError, ObjectStoreRefused, ObjectStoreUnavailable, ObjectTooLarge

MAX_FIELD_BYTES = 16_384
FILE = "file"

log = get_logger(__name__)


class Reception:
    """Receives what members send."""

    def __init__(
        self, mongo: Mongo, store: DocumentsStore, jobs: Jobs, objects: ObjectStore, settings: DocumentsSettings
    ) -> None:
        self._mongo, self._store, self._jobs, self._objects = mongo, store, jobs, objects
        self._settings = settings
        self._free = settings.uploads_max_at_once

    async def receive(self, member_number: str, form: Multipart, idempotency_key: str | None) -> Document:
        """The document that `form` sends, durable. The same key again: the document it made the first time.

        Raises `Malformed`, `Invalid`, `FileTypeNotAccepted`, `FileTooLarge`, `TooSlow`, `Unavailable`: nothing is kept.
        """
        if idempotency_key and (known := await self._store.sent_with(member_number, idempotency_key)):
            return known
        if self._free <= 0:
            raise Unavailable
        self._free -= 1
        try:
            async with asyncio.timeout(self._settings.upload_seconds):
                return await self._receive(member_number, form, idempotency_key)
        except TimeoutError:
            raise TooSlow from None
        except TooLarge as error:
            raise FileTooLarge(extra={"limit_bytes": self._settings.file_max_bytes}) from error
        finally:
            self._free += 1

    async def _receive(self, member_number: str, form: Multipart, idempotency_key: str | None) -> Document:
        arrival = _Arrival(member_number, new_id())
        try:
            fields, file = await self._read(arrival, form)
            submission = Submission.of(fields)
            if file is None:
                raise Invalid(errors=[FieldError(FILE, "required", "No file was sent")])
            rules.check_beneficiary(submission.beneficiary_rank, await self._store.member(member_number))
            document = _document(arrival, submission, file)
        except BaseException:
            await self._drop(arrival)
            raise
        try:
            # Whether a commit that fails was made may stay unknown: from here on only the sweep job, which it
            # takes away, may decide that the bytes are nobody's.
            await self._commit(document, idempotency_key)
        except AlreadySent:
            await self._drop(arrival)
            return await self._sent_with(member_number, idempotency_key or "")
        return document

    async def _sent_with(self, member_number: str, idempotency_key: str) -> Document:
        known = await self._store.sent_with(member_number, idempotency_key)
        if known is None:  # erased meanwhile
            raise Unavailable
        return known

    async def _read(self, arrival: "_Arrival", form: Multipart) -> tuple[dict[str, str], File | None]:
        """The fields, and the file in the intake; None where the form's file field was left empty."""
        fields: dict[str, str] = {}
        file: File | None = None
        async for part in form.parts():
            if part.file_name is None:
                fields[part.name] = await part.text(max_bytes=MAX_FIELD_BYTES)
            elif part.name != FILE or file is not None:
                raise Invalid(errors=[FieldError(FILE, "one_file", "One file at a time")])
            else:
                file = await self._store_file(arrival, part)
        return fields, file

    async def _store_file(self, arrival: "_Arrival", part: Part) -> File | None:
        pieces = part.pieces()
        head = bytearray()
        async for piece in pieces:
            head += piece
            if len(head) >= filetypes.HEAD_BYTES:
                break
        if not head:
            return None
        media_type = filetypes.media_type(bytes(head))
        if media_type is None:
            raise FileTypeNotAccepted
        await self._mongo.transaction(lambda tx: self._schedule_sweep(tx, arrival))
        arrival.begun = True
        with store_problems():
            written = await self._objects.put_stream(
                INTAKE,
                arrival.document_id,
                _joined(bytes(head), pieces),
                media_type,
                max_bytes=self._settings.file_max_bytes,
            )
        return File(
            name=rules.safe_name(part.file_name or "", media_type),
            media_type=media_type,
            size=written.size,
            sha256=written.sha256,
            bucket=INTAKE,
            object=arrival.document_id,
        )

    async def _commit(self, document: Document, idempotency_key: str | None) -> None:
        async def body(tx: Transaction) -> None:
            if not await self._jobs.withdraw(tx, intake.sweep_id(document.document_id)):
                raise Unavailable  # it took so long that its bytes are gone
            await self._store.add(tx, document, idempotency_key)
            await self._jobs.put(
                tx,
                id=f"{intake.CHECK}/{document.document_id}",
                kind=intake.CHECK,
                member_number=document.member_number,
                data={"document_id": document.document_id},
            )

        await self._mongo.transaction(body)

    async def _schedule_sweep(self, tx: Transaction, arrival: "_Arrival") -> None:
        await self._jobs.put(
            tx,
            id=intake.sweep_id(arrival.document_id),
            kind=intake.SWEEP,
            member_number=arrival.member_number,
            data={"document_id": arrival.document_id},
            not_before=now() + timedelta(seconds=self._settings.upload_sweep_seconds),
        )

    async def _drop(self, arrival: "_Arrival") -> None:
        """Remove what was stored, if the store can be told; the sweep sees to the rest."""
        if arrival.begun:
            with suppress(ObjectStoreError):
                await self._objects.delete(INTAKE, arrival.document_id)


@dataclass(slots=True)
class _Arrival:
    """An upload under way; `begun` once there may be something of it in the store."""

    member_number: str
    document_id: str
    begun: bool = False


@contextmanager
def store_problems() -> Iterator[None]:
    """The object store's errors as a client is told them."""
    try:
        yield
    except ObjectTooLarge:
        raise FileTooLarge from None
    except ObjectStoreUnavailable as error:
        log.warning("object_store_away", error=str(error))
        raise Unavailable from None
    except ObjectStoreRefused as error:
        log.error("object_store_refused", code=error.code)
        raise Unavailable from None


async def _joined(head: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in pieces:
        yield piece


def _document(arrival: _Arrival, submission: Submission, file: File) -> Document:
    at = now()
    return Document(
        member_number=arrival.member_number,
        document_id=arrival.document_id,
        kind=submission.kind,
        received_at=at,
        steps=(Step(status=DocumentStatus.RECEIVED, at=at),),
        file_name=file.name,
        file=file,
        beneficiary_rank=submission.beneficiary_rank,
        amount_cents=submission.cents,
        care_date=submission.care_date,
        comment=submission.comment,
        claim_id=submission.claim_id,
    )
