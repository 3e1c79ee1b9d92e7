"""Mes décomptes: every payment with its statement, a part of Mes remboursements."""

from itertools import groupby
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, Cursor, PageRoute, SignedIn, WebPages
from services.gateway.schemas.card import PaymentPage
from services.gateway.vector import vector_now
from shared.errors import NotFound

PAGE_SIZE = 20

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

PaymentId = Annotated[str, Path(max_length=200)]


@router.get("/decomptes")
async def statements(request: Request, web: WebPages, session: SignedIn, suite: Cursor = "") -> Response:
    """A page of the list, newest first. `suite` is the cursor of the page before."""
    after = vector_now()
    query = {"limit": str(PAGE_SIZE)} | ({"cursor": suite} if suite else {})
    answer = await web.sessions.call(request, session, "GET", "claims", "/payments", query=query)
    if not answer.ok:
        raise NotFound  # a cursor that was never ours
    page = PaymentPage.model_validate(answer.body)
    months = [list(month) for _, month in groupby(page.items, key=lambda one: (one.paid_on.year, one.paid_on.month))]
    return web.page(
        request, "statements.html", months=months, next_cursor=page.next_cursor, first_page=not suite, after=after
    )


@router.get("/decomptes/{payment_id:path}")  # publishers may put a slash into an id
async def statement_pdf(request: Request, web: WebPages, session: SignedIn, payment_id: PaymentId) -> Response:
    """One statement as a file."""
    return await web.sessions.download(
        request, session, "claims", f"/payments/{quote(payment_id, safe='')}/statement.pdf"
    )
