"""« Mon année »: where a year's money went, by month and by domain, each with the way to its reimbursements."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages import year_figures
from services.gateway.pages.reimbursement_filters import Filters, Place
from services.gateway.pages.reimbursements import HERE as LIST
from services.gateway.pages.web import CheckedForm, PageRoute, SignedIn, Web, WebPages, Year
from services.gateway.pages.year_figures import Bars, Piece
from services.gateway.schemas.reimbursements import DomainFigures, Figures, MonthFigures, Summary
from services.gateway.vector import vector_now
from services.gateway.web_session import WebSession
from shared.errors import NotFound

HERE = f"{LIST}/annee"

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Row:
    """Of a month or a domain: figures, bar, and the address of the list that they are the sums of.

    `less_than_list`: that list shows claims whole which have acts of other domains too.
    """

    figures: Figures
    bar: tuple[Piece, ...]
    address: str
    less_than_list: bool = False


@router.get(HERE)
async def year(request: Request, web: WebPages, session: SignedIn, annee: Year = "") -> Response:
    """The year asked for; without one this year, or the last that has figures."""
    after = vector_now()
    found = await _summary(web, request, session, annee)
    if not annee and found.years and found.year not in found.years:
        found = await _summary(web, request, session, str(found.years[0]))
    by_month, by_domain = year_figures.bars(found.months), year_figures.bars(found.domains)
    return web.page(
        request,
        "year.html",
        summary=found,
        parts=year_figures.parts(found.total),
        whole=year_figures.bars([found.total]),
        columns=[(date(found.year, n, 1), bar) for n, bar in enumerate(by_month.bars, 1)],
        by_month=by_month,
        months=_months(web, session, found, by_month),
        by_domain=by_domain,
        domains=_domains(web, session, found, by_domain),
        address=_address(web, session, Filters.of_year(found.year)),
        overpaid=any(one.spent_cents >= 0 > one.left_to_pay_cents for one in (*found.months, *found.domains)),
        after=after,
    )


async def _summary(web: WebPages, request: Request, session: WebSession, annee: str) -> Summary:
    query = {"year": annee} if annee else {}
    answer = await web.sessions.call(request, session, "GET", "claims", "/reimbursements/summary", query=query)
    if not answer.ok:
        raise NotFound  # a year that is none
    return Summary.model_validate(answer.body)


def _months(web: Web, session: WebSession, found: Summary, chart: Bars) -> list[tuple[date, Row]]:
    """Each month in which anything happened, by its first day."""

    def of(one: MonthFigures, bar: tuple[Piece, ...]) -> tuple[date, Row]:
        day = date(found.year, one.month, 1)
        return day, Row(one, bar, _address(web, session, Filters.of_month(day)))

    told = zip(found.months, chart.bars, strict=True)
    return [of(one, bar) for one, bar in told if year_figures.is_told(one)]


def _domains(web: Web, session: WebSession, found: Summary, chart: Bars) -> list[tuple[str, Row]]:
    """Each domain, in claims' order."""

    def of(one: DomainFigures, bar: tuple[Piece, ...]) -> tuple[str, Row]:
        address = _address(web, session, Filters.of_year(found.year, one.domain))
        return one.domain, Row(one, bar, address, year_figures.counts_less_than_its_list(one))

    return [of(one, bar) for one, bar in zip(found.domains, chart.bars, strict=True)]


def _address(web: Web, session: WebSession, filters: Filters) -> str:
    """Of the list that these filters leave; what they are is sealed, as if they had been typed."""
    return f"{LIST}{Place(filtre=web.filters.seal(session.member, filters))}"
