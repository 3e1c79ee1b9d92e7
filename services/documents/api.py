"""The HTTP entrance of documents: what members send, and what they look at."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from services.documents import rules
from services.documents.schemas import BeneficiaryOut, DocumentDetail, DocumentItem, DocumentPage
from services.documents.service.reception import Reception
from services.documents.service.shelf import Shelf
from services.documents.store import Position
from shared.api import Cursor, IdempotencyKey, Limit, NotStored, list_cursor, list_position
from shared.app import API_PREFIX
from shared.errors import Malformed
from shared.multipart import Multipart
from shared.tokens import CurrentMember, WritingMember

router = APIRouter(prefix=API_PREFIX, dependencies=[NotStored])


async def _reception(request: Request) -> Reception:
    reception: Reception = request.app.state.reception
    return reception


async def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.shelf
    return shelf


TheReception = Annotated[Reception, Depends(_reception)]
AllDocuments = Annotated[Shelf, Depends(_shelf)]

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
    member: WritingMember,
    reception: TheReception,
    shelf: AllDocuments,
    idempotency_key: IdempotencyKey = None,
) -> DocumentDetail:
    """Send one file. 201: its bytes are durable; what becomes of it shows in its status.

    403 `membership_ended` once the membership is over, before the file is read.
    """
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
    page, last = await shelf.page(
        member.member_number, Position(*list_position(cursor, datetime)) if cursor else None, limit
    )
    known = await shelf.member(member.member_number)
    return DocumentPage(
        items=[DocumentItem.of(document, known) for document in page],
        next_cursor=list_cursor(last.received_at.isoformat(), last.document_id) if last else None,
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
