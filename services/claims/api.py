"""The HTTP entrance of claims: what a member asks about their reimbursements, payments and card."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.claims.filters import Which
from services.claims.papers import Papers
from services.claims.schemas.card import CardDetail
from services.claims.schemas.payments import PaymentItem, PaymentPage, StatementDetail
from services.claims.schemas.reimbursements import ReimbursementDetail, ReimbursementPage
from services.claims.schemas.summary import SummaryDetail
from services.claims.service import Claims
from services.claims.store.queries import PaymentPosition, Position
from services.claims.summary import FIRST_YEAR, LAST_YEAR
from shared.api import Cursor, Limit, NotStored, list_cursor, list_position
from shared.app import API_PREFIX
from shared.tokens import CurrentMember

router = APIRouter(prefix=API_PREFIX, dependencies=[NotStored])


def _claims(request: Request) -> Claims:
    claims: Claims = request.app.state.claims
    return claims


def _papers(request: Request) -> Papers:
    papers: Papers = request.app.state.papers
    return papers


AllClaims = Annotated[Claims, Depends(_claims)]
Printed = Annotated[Papers, Depends(_papers)]


Day = Annotated[dt.date | None, Query()]
Year = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


@router.get("/reimbursements")
async def list_reimbursements(
    member: CurrentMember, claims: AllClaims, which: Which, limit: Limit = 20, cursor: Cursor = None
) -> ReimbursementPage:
    """The member's reimbursements, newest first by `date`: paid, refused, received or taken back on, not the care's.

    Pages are stable: what arrives meanwhile stands before or between, and no claim is given twice.
    """
    after = Position(*_after(cursor)) if cursor else None
    found = await claims.reimbursements(member.member_number, which, after, limit)
    last = found.claims[-1] if found.more else None
    next_cursor = list_cursor(last.listing.date, last.claim.claim_id) if last else None
    return ReimbursementPage.of(found, next_cursor)


@router.get("/reimbursements/summary")  # before the route below, which would take it for a claim
async def summarise_reimbursements(member: CurrentMember, claims: AllClaims, year: Year = None) -> SummaryDetail:
    """A year's totals by month and by domain, this year in France by default."""
    return SummaryDetail.of(await claims.summary(member.member_number, year))


@router.get("/reimbursements/{claim_id:path}")  # publishers may put a slash into an id
async def read_reimbursement(member: CurrentMember, claims: AllClaims, claim_id: str) -> ReimbursementDetail:
    """One reimbursement with its lines."""
    return ReimbursementDetail.of(await claims.reimbursement(member.member_number, claim_id))


@router.get("/payments")
async def list_payments(
    member: CurrentMember, claims: AllClaims, limit: Limit = 20, cursor: Cursor = None
) -> PaymentPage:
    """The member's payments, newest first, each with a statement."""
    after = PaymentPosition(*_after(cursor)) if cursor else None
    page, last = await claims.payments(member.member_number, after, limit)
    next_cursor = list_cursor(last.date, last.payment_id) if last else None
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


def _pdf(content: bytes, name: str) -> Response:
    """A file to keep, under a name that tells nothing about its owner."""
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"', "cache-control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def _after(cursor: str) -> tuple[str, str]:
    day, record_id = list_position(cursor, dt.date)
    return day.isoformat(), record_id
