"""`/composants`: every component of the pages in every state, for whoever changes the look. Development only."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages.web import PageRoute, WebPages

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_CENTS = (4200, 1250, 0, 8800, 2310, -1500, 640, 12040, 3000, 1990, 700, 0)


@dataclass(frozen=True, slots=True)
class _Row:
    """As much of a reimbursement as a row shows."""

    claim_id: str
    status: str
    date: date
    label: str
    amount_cents: int | None
    left_to_pay_cents: int | None = None
    beneficiary: None = None
    domains: tuple[str, ...] = ()


_ROWS = (
    _Row("R-1", "paid", date(2026, 11, 20), "Pharmacie", 700, 0),
    _Row("R-2", "received", date(2026, 11, 18), "Optique", None),
    _Row("R-3", "refused", date(2026, 11, 12), "Dentaire", None),
    _Row("R-4", "reversed", date(2026, 10, 2), "Consultation", 3000, 0),
    _Row("R-5", "reversal", date(2026, 10, 9), "Consultation", -3000),
)


@router.get("/composants")
async def components(request: Request, web: WebPages) -> Response:
    """The page, with made-up records."""
    months = [(date(2026, month, 1), cents) for month, cents in enumerate(_CENTS, 1)]
    return web.page(request, "components.html", months=months, total=sum(_CENTS), rows=_ROWS, after="")
