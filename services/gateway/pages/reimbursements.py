"""Mes remboursements: the filtered list, which grows while it is open, its files, and one with its lines."""

import asyncio
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.linked import documents_of
from services.gateway.pages.reimbursement_filters import DOMAINS, FIELDS, STATUSES, Filters, Place, today, years
from services.gateway.pages.web import CheckedForm, SignedIn, WebPages, see
from services.gateway.schemas.reimbursements import Reimbursement, ReimbursementDetail, ReimbursementPage
from services.gateway.upstream import Answer
from services.gateway.vector import vector_now
from services.gateway.web_session import WebSession
from shared.errors import Invalid, NotFound, TooLarge

HERE = "/remboursements"
PAGE_SIZE = 20

router = APIRouter(route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)

ClaimId = Annotated[str, Path(max_length=200)]
InList = Annotated[Place, Query()]


class ListTooLong(TooLarge):
    """claims' refusal of a file with more claims than one file holds."""

    code, title = "list_too_long", "The list has too many claims for one file"


@router.get(HERE)
async def reimbursements(request: Request, web: WebPages, session: SignedIn, place: InList) -> Response:
    """A page of the list, newest first."""
    filters = web.filters.open(session.member, place.filtre)
    if filters is None:
        return see(HERE)
    return await _list(web, request, session, filters, place)


@router.post(HERE)
async def choose(web: WebPages, session: SignedIn, typed: Annotated[Filters, Form()]) -> Response:
    """The list filtered as typed, at an address that does not tell by what."""
    return see(f"{HERE}{Place(filtre=web.filters.seal(session.member, typed.settled()))}")


@router.get(HERE + ".{kind}")
async def export(
    request: Request, web: WebPages, session: SignedIn, kind: Literal["csv", "pdf"], place: InList
) -> Response:
    """The whole filtered list as a file."""
    filters = web.filters.open(session.member, place.filtre)
    if filters is None:
        return see(HERE)
    query = filters.query(today())
    try:
        return await web.sessions.download(request, session, "claims", f"/reimbursements.{kind}", query=query)
    except TooLarge:
        raise ListTooLong from None


@router.get(HERE + "/{claim_id:path}")  # publishers may put a slash into an id
async def reimbursement(
    request: Request, web: WebPages, session: SignedIn, claim_id: ClaimId, place: InList
) -> Response:
    """One reimbursement: what was received, how it is made up, line by line. `place`: where the way back leads."""
    after = vector_now()
    answer = await web.sessions.call(request, session, "GET", "claims", f"/reimbursements/{quote(claim_id, safe='')}")
    if not answer.ok:
        raise NotFound
    claim = ReimbursementDetail.model_validate(answer.body)
    documents = await documents_of(web, request, session, claim)
    return web.page(request, "reimbursement.html", claim=claim, documents=documents, place=place, after=after)


@router.get("/parties/remboursements/{claim_id:path}")
async def row(request: Request, web: WebPages, session: SignedIn, claim_id: ClaimId, place: InList) -> Response:
    """For a list that is open: its row of one reimbursement, unless the filters leave that one out, and its sums."""
    filters = web.filters.open(session.member, place.filtre)
    if filters is None:
        raise NotFound
    query = filters.query(today()) | {"limit": "1"}
    found, whole = await asyncio.gather(
        _ask(web, request, session, query | {"claim_id": claim_id}), _ask(web, request, session, query)
    )
    if not found.ok or not whole.ok:
        raise NotFound
    return web.page(
        request,
        "reimbursement_row.html",
        claims=ReimbursementPage.model_validate(found.body).items,
        totals=ReimbursementPage.model_validate(whole.body).totals,
        place=place,
    )


async def show(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The list with a form that was kept: filtered as it says."""
    filters = Filters.model_validate(draft.typed).settled()
    return await _list(web, request, session, filters, Place(filtre=web.filters.seal(session.member, filters)))


async def _list(web: WebPages, request: Request, session: WebSession, filters: Filters, place: Place) -> Response:
    after = vector_now()  # before the data is read: what changes from here on comes by the stream
    query = filters.query(today()) | {"limit": str(PAGE_SIZE)} | ({"cursor": place.suite} if place.suite else {})
    answer = await _ask(web, request, session, query)
    if errors := _refusals(answer):
        answer = await _ask(web, request, session, {"limit": "1"})  # for whom one may choose, nothing else
    if not answer.ok:
        raise NotFound  # a cursor that was never ours
    page = ReimbursementPage.model_validate(answer.body)
    response = web.page(
        request,
        "reimbursements.html",
        Invalid.status if errors else 200,
        filters=filters,
        years=years(),
        statuses=STATUSES,
        domains=DOMAINS,
        errors=errors,
        place=place,
        page=page,
        months=[] if errors else [(month[0].date, month) for month in _by_month(page.items)],
        after=after,
    )
    if errors:
        response.headers["hx-reswap"] = "outerHTML"  # what is wrong stands above the list: it is not scrolled to
    return response


async def _ask(web: WebPages, request: Request, session: WebSession, query: dict[str, str]) -> Answer:
    return await web.sessions.call(request, session, "GET", "claims", "/reimbursements", query=query)


def _refusals(answer: Answer) -> dict[str, str]:
    """Field of the form → claims' code, of the filters that it refused."""
    refused = [(str(error.get("field")), str(error.get("code"))) for error in answer.body.get("errors", [])]
    found = {FIELDS[name]: code for name, code in reversed(refused) if name in FIELDS}
    return {name: found[name] for name in FIELDS.values() if name in found}


def _by_month(claims: tuple[Reimbursement, ...]) -> list[list[Reimbursement]]:
    return [list(month) for _, month in groupby(claims, key=lambda claim: (claim.date.year, claim.date.month))]
