"""The HTTP entrance of claims: what a member asks about their reimbursements, payments and card."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.claims import card, spreadsheet
from services.claims.filters import Which
from services.claims.papers import Papers
from services.claims.schemas.card import CardDetail
from services.claims.schemas.payments import PaymentPage, StatementDetail
from services.claims.schemas.reimbursements import ReimbursementDetail, ReimbursementPage
from services.claims.schemas.summary import SummaryDetail
from services.claims.service import Claims
from services.claims.store.queries import PaymentPosition, Position
from services.claims.summary import FIRST_YEAR, LAST_YEAR
from shared.api import Cursor, Limit, NotStored, list_cursor, list_position
from shared.app import API_PREFIX
from shared.tokens import CurrentMember

router = APIRouter(prefix=API_PREFIX, dependencies=[NotStored])


async def _claims(request: Request) -> Claims:
    claims: Claims = request.app.state.claims
    return claims


async def _papers(request: Request) -> Papers:
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


@router.get("/reimbursements.csv", response_class=Response)
async def export_reimbursements(member: CurrentMember, claims: AllClaims, which: Which) -> Response:
    """The filtered list for a spreadsheet, whole: `;` and decimal commas, UTF-8; beyond the limit 413 `list_too_long`.

    It is sent while it is read: a connection that breaks off is a list that is not whole.
    """
    batches = await claims.spreadsheet(member.member_number, which)

    async def text() -> AsyncIterator[str]:
        yield spreadsheet.headings()
        async for batch in batches:
            yield spreadsheet.rows(batch)

    return StreamingResponse(text(), media_type="text/csv; charset=utf-8", headers=_kept_as(f"{_list_name()}.csv"))


@router.get("/reimbursements.pdf", response_class=Response)
async def print_reimbursements(member: CurrentMember, claims: AllClaims, papers: Printed, which: Which) -> Response:
    """The filtered list on paper, with what it is filtered by; beyond the limit 413 `list_too_long`."""
    whose, found = await claims.paper_list(member.member_number, which)
    return _pdf(await papers.reimbursements(whose, which, found), _list_name())


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
    member: CurrentMember, claims: AllClaims, year: Year = None, limit: Limit = 20, cursor: Cursor = None
) -> PaymentPage:
    """The member's payments, newest first, each with a statement; those of one year, if it is given."""
    after = PaymentPosition(*_after(cursor)) if cursor else None
    found = await claims.payments(member.member_number, year, after, limit)
    last = found.payments[-1] if found.more else None
    return PaymentPage.of(found, list_cursor(last.paid_on, last.payment_id) if last else None)


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
    return Response(content, media_type="application/pdf", headers=_kept_as(f"{name}.pdf"))


def _kept_as(name: str) -> dict[str, str]:
    """The headers of a file to keep, under a name that tells nothing about its owner."""
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}


def _list_name() -> str:
    return f"remboursements-{card.today().isoformat()}"


def _after(cursor: str) -> tuple[str, str]:
    day, record_id = list_position(cursor, dt.date)
    return day.isoformat(), record_id
