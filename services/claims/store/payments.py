"""The query of a member's payments: a page of them, of one year or of all, and every year added up."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import DESCENDING

from services.claims.models import PaymentList, PaymentTotals
from services.claims.store.queries import PaymentPosition, payments
from services.claims.store.rows import payment_sum
from services.claims.summary import FIRST_YEAR, LAST_YEAR
from shared.mongo import Document

_SUMS = ("claim_count", "amount_cents", "taken_back_cents")


def payments_query(member_number: str, year: int | None, after: PaymentPosition | None, limit: int) -> list[Document]:
    """The stages: the member's claims are read once, the payments they make are counted and paged."""
    by_year = {
        "_id": {"$substrCP": ["$paid_on", 0, 4]},
        "payment_count": {"$sum": 1},
        **{name: {"$sum": f"${name}"} for name in _SUMS},
    }
    page: list[Document] = [{"$match": {"paid_on": {"$gte": f"{year}-01-01", "$lte": f"{year}-12-31"}}}] if year else []
    if after is not None:
        older = {"paid_on": {"$lt": after.date}}, {"paid_on": after.date, "_id": {"$lt": after.payment_id}}
        page.append({"$match": {"$or": list(older)}})
    page += [{"$sort": {"paid_on": DESCENDING, "_id": DESCENDING}}, {"$limit": limit}]
    return [
        *payments({"member_number": member_number, "payment": {"$exists": True}}),
        {"$facet": {"page": page, "years": [{"$group": by_year}]}},
    ]


def payment_list(found: Mapping[str, Any], year: int | None, limit: int) -> PaymentList:
    """What `payments_query` finds, asked for one more than `limit`. A sum beyond 64 bits comes as a float."""
    page = [payment_sum(row) for row in found["page"]]
    by_year: dict[int, Document] = {int(row["_id"]): row for row in found["years"]}
    years = sorted((y for y in by_year if FIRST_YEAR <= y <= LAST_YEAR), reverse=True)
    return PaymentList(
        payments=tuple(page[:limit]),
        more=len(page) > limit,
        years=tuple(years),
        totals=_totals([row for y, row in by_year.items() if year in {None, y}]),
    )


def _totals(rows: Sequence[Document]) -> PaymentTotals:
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        for name in ("payment_count", *_SUMS):
            sums[name] += int(row[name])
    return PaymentTotals(**{name: sums[name] for name in ("payment_count", *_SUMS)})
