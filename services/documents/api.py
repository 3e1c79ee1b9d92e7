"""The HTTP entrance of documents: what members send, and what they look at."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from services.documents import rules
from services.documents.schemas import BeneficiaryOut, DocumentDetail, DocumentItem, DocumentPage
from services.documents.service.reception import Reception
from services.documents.service.shelf import Shelf
from services.documents.store import Position
from shared.app import API_PREFIX
from shared.errors import FieldError, Invalid, Malformed
from shared.live import EventStream, Live, position
from shared.multipart import Multipart
from shared.tokens import CurrentMember


def _not_stored(response: Response) -> None:
    """Health data stays in no cache, shared or not."""
    response.headers["cache-control"] = "no-store"


router = APIRouter(prefix=API_PREFIX, dependencies=[Depends(_not_stored)])


def _reception(request: Request) -> Reception:
    reception: Reception = request.app.state.reception
    return reception


def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.shelf
    return shelf


def _live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


TheReception = Annotated[Reception, Depends(_reception)]
AllDocuments = Annotated[Shelf, Depends(_shelf)]
LiveUpdates = Annotated[Live, Depends(_live)]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=500)]
IdempotencyKey = Annotated[str | None, Header(pattern=r"^[!-~]{1,128}$")]

_TEXT = {"type": "string"}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["kind", "beneficiary_rank", "file"],
                    "properties": {
                        "kind": {"enum": ["invoice", "quote", "prescription", "certificate", "other"]},
                        "beneficiary_rank": {"type": "integer", "minimum": 1, "maximum": 99},
                        "amount_cents": {"type": "integer", "minimum": 0},
                        "amount": {**_TEXT, "description": "Euros as people write them, instead of amount_cents"},
                        "care_date": {**_TEXT, "format": "date"},
                        "comment": {**_TEXT, "maxLength": 2000},
                        "claim_id": _TEXT,
                        "file": {**_TEXT, "format": "binary"},
                    },
                }
            }
        },
    }
}


@router.post("/documents", status_code=201, openapi_extra=_FORM)
async def send_document(
    *,
    request: Request,
    response: Response,
    member: CurrentMember,
    reception: TheReception,
    shelf: AllDocuments,
    idempotency_key: IdempotencyKey = None,
) -> DocumentDetail:
    """Send one file. 201: its bytes are durable; what becomes of it shows in its status."""
    form = Multipart(request.headers.get("content-type", ""), request.stream())
    try:
        document = await reception.receive(member.member_number, form, idempotency_key)
    except ClientDisconnect:
        raise Malformed("The upload was broken off") from None
    response.headers["location"] = f"{API_PREFIX}/documents/{document.document_id}"
    return DocumentDetail.of(document, await shelf.member(member.member_number))


@router.get("/documents")
async def list_documents(
    member: CurrentMember, shelf: AllDocuments, limit: Limit = 20, cursor: Cursor = None
) -> DocumentPage:
    """The member's documents, sent and delivered, newest first."""
    page, last = await shelf.page(member.member_number, _position(cursor) if cursor else None, limit)
    known = await shelf.member(member.member_number)
    return DocumentPage(
        items=[DocumentItem.of(document, known) for document in page],
        next_cursor=_cursor(last) if last else None,
        beneficiaries=[BeneficiaryOut.of(person) for person in known.beneficiaries] if known else [],
    )


@router.get("/documents/{document_id:path}/content", response_class=Response)  # publishers may put a slash into an id
async def download(member: CurrentMember, shelf: AllDocuments, document_id: str) -> Response:
    """The file as it was sent or delivered; never shown in place, whatever it is."""
    content = await shelf.content(member.member_number, document_id)
    headers = {
        "cache-control": "no-store",
        "content-disposition": rules.attachment(content.file.name),
        "content-length": str(content.file.size),
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(content.pieces, headers=headers, media_type=content.file.media_type)


@router.get("/documents/{document_id:path}")
async def read_document(member: CurrentMember, shelf: AllDocuments, document_id: str) -> DocumentDetail:
    """One document with the history of its status."""
    document = await shelf.document(member.member_number, document_id)
    return DocumentDetail.of(document, await shelf.member(member.member_number))


@router.get("/stream", response_class=Response)
async def stream(
    member: CurrentMember,
    live: LiveUpdates,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """What changes while the client listens: `document` events with ids, `reload` where too much changed to tell."""
    return await live.stream(member, position(last_event_id, after))


def _cursor(last: Position) -> str:
    text = json.dumps([last.received_at.isoformat(), last.document_id])
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> Position:
    try:
        at, document_id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return Position(datetime.fromisoformat(at), str(document_id))
    except (ValueError, TypeError):
        raise Invalid(errors=[FieldError("cursor", "cursor_invalid", "Not a cursor of this list")]) from None
