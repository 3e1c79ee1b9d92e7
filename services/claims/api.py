"""The HTTP entrance of claims: what a member asks about their reimbursements, payments and card."""

import datetime as dt
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.claims.models import Status
from services.claims.papers import Papers
from services.claims.schemas.card import CardDetail
from services.claims.schemas.payments import PaymentItem, PaymentPage, StatementDetail
from services.claims.schemas.reimbursements import ReimbursementDetail, ReimbursementItem, ReimbursementPage
from services.claims.service import Claims
from services.claims.store import Filter, PaymentPosition, Position
from shared.app import API_PREFIX
from shared.errors import FieldError, Invalid
from shared.events.fields import Domain
from shared.live import EventStream, Live, position
from shared.tokens import CurrentMember


def _not_stored(response: Response) -> None:
    """Health data stays in no cache, shared or not."""
    response.headers["cache-control"] = "no-store"


router = APIRouter(prefix=API_PREFIX, dependencies=[Depends(_not_stored)])


def _claims(request: Request) -> Claims:
    claims: Claims = request.app.state.claims
    return claims


def _live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


def _papers(request: Request) -> Papers:
    papers: Papers = request.app.state.papers
    return papers


AllClaims = Annotated[Claims, Depends(_claims)]
LiveUpdates = Annotated[Live, Depends(_live)]
Printed = Annotated[Papers, Depends(_papers)]


def _filter(
    *,
    first_day: Annotated[dt.date | None, Query(alias="from")] = None,
    last_day: Annotated[dt.date | None, Query(alias="to")] = None,
    beneficiary: Annotated[int | None, Query(ge=1, le=99)] = None,
    status: Status | None = None,
    domain: Domain | None = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
) -> Filter:
    return Filter(
        first_day=first_day.isoformat() if first_day else None,
        last_day=last_day.isoformat() if last_day else None,
        beneficiary_rank=beneficiary,
        status=status,
        domain=domain,
        text=q,
    )


Which = Annotated[Filter, Depends(_filter)]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=500)]
Day = Annotated[dt.date | None, Query()]


@router.get("/reimbursements")
async def list_reimbursements(
    member: CurrentMember, claims: AllClaims, which: Which, limit: Limit = 20, cursor: Cursor = None
) -> ReimbursementPage:
    """The member's reimbursements, newest first."""
    after = Position(*_position(cursor)) if cursor else None
    page, last = await claims.reimbursements(member.member_number, which, after, limit)
    next_cursor = _cursor(last.date, last.claim_id) if last else None
    return ReimbursementPage(items=[ReimbursementItem.of(r) for r in page], next_cursor=next_cursor)


@router.get("/reimbursements/{claim_id:path}")  # publishers may put a slash into an id
async def read_reimbursement(member: CurrentMember, claims: AllClaims, claim_id: str) -> ReimbursementDetail:
    """One reimbursement with its lines."""
    return ReimbursementDetail.of(await claims.reimbursement(member.member_number, claim_id))


@router.get("/payments")
async def list_payments(
    member: CurrentMember, claims: AllClaims, limit: Limit = 20, cursor: Cursor = None
) -> PaymentPage:
    """The member's payments, newest first, each with a statement."""
    after = PaymentPosition(*_position(cursor)) if cursor else None
    page, last = await claims.payments(member.member_number, after, limit)
    next_cursor = _cursor(last.date, last.payment_id) if last else None
    return PaymentPage(items=[PaymentItem.of(payment) for payment in page], next_cursor=next_cursor)


@router.get("/payments/{payment_id:path}/statement.pdf", response_class=Response)
async def print_statement(member: CurrentMember, claims: AllClaims, papers: Printed, payment_id: str) -> Response:
    """A payment's statement (décompte) on paper."""
    statement = StatementDetail.of(await claims.statement(member.member_number, payment_id))
    return _pdf(await papers.statement(statement), f"decompte-{statement.payment.paid_on.isoformat()}")


@router.get("/card")
async def read_card(member: CurrentMember, claims: AllClaims, papers: Printed, on: Day = None) -> CardDetail:
    """The card in force on that day, today in France by default."""
    return CardDetail.of(await claims.card(member.member_number, on), papers.insurer, claims.open_nir)


@router.get("/card.pdf", response_class=Response)
async def print_card(member: CurrentMember, claims: AllClaims, papers: Printed, on: Day = None) -> Response:
    """The same on one sheet."""
    card = await read_card(member, claims, papers, on)
    return _pdf(await papers.card(card), "carte-tiers-payant")


@router.get("/stream", response_class=Response)
async def stream(
    member: CurrentMember,
    live: LiveUpdates,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """What changes while the client listens: `claim` events with ids, `reload` where too much changed to tell."""
    return await live.stream(member, position(last_event_id, after))


def _pdf(content: bytes, name: str) -> Response:
    """A file to keep, under a name that tells nothing about its owner."""
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"', "cache-control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def _cursor(day: str, record_id: str) -> str:
    return urlsafe_b64encode(json.dumps([day, record_id]).encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[str, str]:
    try:
        day, record_id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return dt.date.fromisoformat(day).isoformat(), str(record_id)
    except (ValueError, TypeError):
        raise Invalid(errors=[FieldError("cursor", "cursor_invalid", "Not a cursor of this list")]) from None
