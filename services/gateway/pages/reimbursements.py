"""Mes remboursements: the list, which grows while it is open, and one reimbursement with its lines."""

from itertools import groupby
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, Cursor, PageRoute, SignedIn, WebPages
from services.gateway.schemas.reimbursements import Reimbursement, ReimbursementDetail, ReimbursementPage
from services.gateway.vector import vector_now
from services.gateway.web_session import WebSession
from shared.errors import NotFound

PAGE_SIZE = 20

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

ClaimId = Annotated[str, Path(max_length=200)]


@router.get("/remboursements")
async def reimbursements(request: Request, web: WebPages, session: SignedIn, suite: Cursor = "") -> Response:
    """A page of the list, newest first. `suite` is the cursor of the page before."""
    after = vector_now()  # before the data is read: what changes from here on comes by the stream
    query = {"limit": str(PAGE_SIZE)} | ({"cursor": suite} if suite else {})
    answer = await web.sessions.call(request, session, "GET", "claims", "/reimbursements", query=query)
    if not answer.ok:
        raise NotFound  # a cursor that was never ours
    page = ReimbursementPage.model_validate(answer.body)
    months = [(month[0].date, month) for month in _by_month(page.items)]
    return web.page(
        request, "reimbursements.html", months=months, next_cursor=page.next_cursor, first_page=not suite, after=after
    )


@router.get("/remboursements/{claim_id:path}")  # publishers may put a slash into an id
async def reimbursement(request: Request, web: WebPages, session: SignedIn, claim_id: ClaimId) -> Response:
    """One reimbursement: what was received, how it is made up, line by line."""
    after = vector_now()
    claim = await _claim(web, request, session, claim_id)
    return web.page(request, "reimbursement.html", claim=claim, after=after)


@router.get("/parties/remboursements/{claim_id:path}")
async def row(request: Request, web: WebPages, session: SignedIn, claim_id: ClaimId) -> Response:
    """One row of the list, with the month it belongs to, for a list that is open."""
    claim = await _claim(web, request, session, claim_id)
    return web.page(request, "reimbursement_row.html", claim=claim)


async def _claim(web: WebPages, request: Request, session: WebSession, claim_id: str) -> ReimbursementDetail:
    path = f"/reimbursements/{quote(claim_id, safe='')}"
    answer = await web.sessions.call(request, session, "GET", "claims", path)
    if not answer.ok:
        raise NotFound
    return ReimbursementDetail.model_validate(answer.body)


def _by_month(claims: tuple[Reimbursement, ...]) -> list[list[Reimbursement]]:
    return [list(month) for _, month in groupby(claims, key=lambda claim: (claim.date.year, claim.date.month))]
