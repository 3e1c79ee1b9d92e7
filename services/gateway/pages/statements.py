"""Mes décomptes: every payment with its statement, a part of Mes remboursements."""

from itertools import groupby
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, Cursor, PageRoute, SignedIn, Web, WebPages, Year
from services.gateway.schemas.card import PaymentPage
from services.gateway.vector import vector_now
from services.gateway.web_session import WebSession
from shared.errors import NotFound

HERE = "/decomptes"
PAGE_SIZE = 20

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

PaymentId = Annotated[str, Path(max_length=200)]


@router.get(HERE)
async def statements(
    request: Request, web: WebPages, session: SignedIn, annee: Year = "", suite: Cursor = ""
) -> Response:
    """A page of a year's list, newest first, by default of the last that has any. `suite`: the page before's cursor."""
    after = vector_now()
    if not annee:
        years = (await _page(web, request, session, {"limit": "1"})).years
        annee = str(years[0]) if years else ""
    asked = {"limit": str(PAGE_SIZE), "year": annee, "cursor": suite}
    page = await _page(web, request, session, {name: value for name, value in asked.items() if value})
    months = [list(month) for _, month in groupby(page.items, key=lambda one: (one.paid_on.year, one.paid_on.month))]
    return web.page(
        request, "statements.html", page=page, year=annee, months=months, first_page=not suite, here=HERE, after=after
    )


async def _page(web: Web, request: Request, session: WebSession, query: dict[str, str]) -> PaymentPage:
    answer = await web.sessions.call(request, session, "GET", "claims", "/payments", query=query)
    if not answer.ok:
        raise NotFound  # a cursor that was never ours, a year that is none
    return PaymentPage.model_validate(answer.body)


@router.get(HERE + "/{payment_id:path}")  # publishers may put a slash into an id
async def statement_pdf(request: Request, web: WebPages, session: SignedIn, payment_id: PaymentId) -> Response:
    """One statement as a file."""
    return await web.sessions.download(
        request, session, "claims", f"/payments/{quote(payment_id, safe='')}/statement.pdf"
    )
