"""A member's documents: listed, read, downloaded, decided on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.documents import rules
from services.documents.models import Document, DocumentStatus, File, Member
from services.documents.service.reception import store_problems
from services.documents.store import DocumentsStore, Position
from shared.applier import Refused
from shared.errors import NotFound
from shared.events.base import Event
from shared.events.casework import DocumentProcessed
from shared.events.membership import MemberEnrolled, MembershipEvent, MemberUpdated
from shared.mongo import Transaction
from shared.objects import ObjectNotFound, ObjectStore, OpenedObject


@dataclass(frozen=True, slots=True)
class Content:
    """A file about to be downloaded."""

    file: File
    pieces: AsyncIterator[bytes]


class Shelf:
    """The documents of all members."""

    def __init__(self, store: DocumentsStore, objects: ObjectStore) -> None:
        self._store, self._objects = store, objects

    # For a member

    async def page(
        self, member_number: str, after: Position | None, limit: int
    ) -> tuple[list[Document], Position | None]:
        """Up to `limit` documents after that position, newest first; and where the next page begins."""
        found = await self._store.page(member_number, after, limit + 1)
        page = found[:limit]
        more = len(found) > limit
        return page, Position(page[-1].received_at, page[-1].document_id) if more else None

    async def member(self, member_number: str) -> Member | None:
        """The beneficiaries, once they are known."""
        return await self._store.member(member_number)

    async def document(self, member_number: str, document_id: str) -> Document:
        """One document of the member; raises `NotFound`, for someone else's too."""
        document = await self._store.find(member_number, document_id)
        if document is None:
            raise NotFound
        return document

    async def content(self, member_number: str, document_id: str) -> Content:
        """Its file. Raises `NotFound` where there is none, `Unavailable` while the store is away."""
        file, opened = await self._opened(member_number, document_id)
        with store_problems():
            first = await anext(opened.pieces, b"")  # what fails now is still told by a status
        return Content(file, _rest(first, opened.pieces))

    async def _opened(self, member_number: str, document_id: str) -> tuple[File, OpenedObject]:
        for _ in range(2):  # the intake may be moving it just now: then it is at its new place
            file = (await self.document(member_number, document_id)).file
            if file is None:
                break
            try:
                with store_problems():
                    return file, await self._objects.open(file.bucket, file.object)
            except ObjectNotFound:
                continue
        raise NotFound

    # For events

    async def decide(self, event: Event[DocumentProcessed], tx: Transaction) -> None:
        """Keep what the management centre decided. Refuses what it was never sent."""
        document = await self._store.find(event.data.member_number, event.data.document_id, tx)
        if document is None:
            raise Refused("document_unknown")
        if document.stage is not DocumentStatus.SUBMITTED:
            raise Refused("document_not_submitted")
        decided = rules.decided(document, event)
        if decided != document:
            await self._store.save(tx, decided)

    async def learn(self, events: Sequence[Event[MembershipEvent]], tx: Transaction) -> None:
        """Keep the beneficiaries that contract management announces."""
        held = await self._store.members(tx, {event.data.member_number for event in events})
        told: dict[str, Member] = {}
        for event in events:
            data = event.data
            if isinstance(data, MemberEnrolled | MemberUpdated) and data.beneficiaries is not None:
                known = told.get(data.member_number) or held.get(data.member_number)
                if known is None or event.order > known.order:
                    people = rules.people(data.beneficiaries)
                    told[data.member_number] = Member(order=event.order, beneficiaries=people)
        await self._store.save_members(tx, told.items())


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
