"""The queries of lists, and what they are asked with."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.claims.models import Claim, Listing, ListTotals, Status
from services.claims.search import words
from services.claims.summary import added_up
from shared.mongo import Document

NEWEST_FIRST: Final = [("date", DESCENDING), ("claim_id", DESCENDING)]
_SUMS: Final = {
    "reimbursed_cents": "amount_cents",
    "spent_cents": "spent_cents",
    "left_to_pay_cents": "left_to_pay_cents",
}
"""Each sum of a list, and the figure of a claim that it adds up."""
LIST_INDEXES: Final = (
    # A member's list, newest first: what else it is filtered by, and what it is added up by, is read from the index,
    # not from the claims.
    IndexModel(
        [
            ("member_number", ASCENDING),
            *NEWEST_FIRST,
            ("status", ASCENDING),
            ("beneficiary_rank", ASCENDING),
            ("domains", ASCENDING),
            *((f"figures.{column}", ASCENDING) for column in _SUMS.values()),
            ("updated_at", ASCENDING),
        ],
        name="added_up",
    ),
)
"""A search reads the member's claims by it too: an index of words would be most of what taking a claim in costs."""

_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"
_AFTER_ALL_LETTERS: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which claims of a member: days `YYYY-MM-DD`, both included; `text` as the member typed it."""

    first_day: str | None = None
    last_day: str | None = None
    beneficiary_rank: int | None = None
    status: Status | None = None
    domain: str | None = None
    text: str | None = None
    claim_id: str | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The last claim of the page before."""

    date: str
    claim_id: str

    @classmethod
    def of(cls, claim: Claim, listing: Listing) -> "Position":
        """Where this claim stands in the list."""
        return cls(listing.date, claim.claim_id)


@dataclass(frozen=True, slots=True)
class PaymentPosition:
    """The last payment of the page before."""

    date: str
    payment_id: str


def list_query(member_number: str, which: Filter, after: Position | None) -> Document:
    """The query of a list: its bounds on the date leave out claims without one, and let the index do the cutting."""
    last_day = min(which.last_day or _LAST_DAY, after.date if after else _LAST_DAY)
    query: Document = {
        "member_number": member_number,
        "date": {"$gte": which.first_day or _FIRST_DAY, "$lte": last_day},
    }
    if which.claim_id is not None:
        query["claim_id"] = which.claim_id
    if which.beneficiary_rank is not None:
        query["beneficiary_rank"] = which.beneficiary_rank
    if which.status is not None:
        query["status"] = which.status.value
    if which.domain is not None:
        query["domains"] = which.domain
    if which.text and not which.text.isspace():
        query |= _with_words(which.text)
    if which.document_id is not None:  # claims that were settled from it: few members have many, all are looked at
        query["document_ids"] = which.document_id
    if after is not None:
        query["$or"] = [{"date": {"$lt": after.date}}, {"date": after.date, "claim_id": {"$lt": after.claim_id}}]
    return query


def _with_words(text: str) -> Document:
    """Claims with every word of `text`, of each at least its beginning; signs alone are found nowhere."""
    asked = words(text)
    if not asked:
        return {"words": {"$in": []}}
    return {"$and": [{"words": {"$elemMatch": {"$gte": word, "$lt": word + _AFTER_ALL_LETTERS}}} for word in asked]}


def totals_query(member_number: str, which: Filter) -> list[Document]:
    """The stages that add a whole filtered list up."""
    sums = {name: {"$sum": f"$figures.{column}"} for name, column in _SUMS.items()}
    return [
        {"$match": list_query(member_number, which, None)},
        {"$group": {"_id": None, "claim_count": {"$sum": 1}, **sums}},
    ]


def list_totals(rows: list[Document]) -> ListTotals:
    """What `totals_query` finds: one row, or none. A sum beyond 64 bits comes as a float."""
    return (
        ListTotals(**{name: int(value) for name, value in rows[0].items() if name != "_id"})
        if rows
        else ListTotals(0, 0, 0, 0)
    )


def summary_query(member_number: str) -> list[Document]:
    """The stages of a summary: it reads the claims that the list shows, by the list's index."""
    return added_up(list_query(member_number, Filter(), None))


def in_payment(member_number: str, payment_id: str) -> Document:
    """The member's claims in that payment."""
    return {"member_number": member_number, "payment.payment_id": payment_id}


def payments(which: Document) -> list[Document]:
    """The stages that add up the claims of each payment."""
    of_payment = {
        "_id": "$payment.payment_id",
        "paid_on": {"$max": "$payment.paid_on"},
        "amount_cents": {"$sum": "$figures.amount_cents"},
        "taken_back_cents": {"$sum": "$taken_back.amount_cents"},
        "claim_count": {"$sum": 1},
        "payees": {"$addToSet": {"payee": "$payment.payee", "payee_name": "$payment.payee_name"}},
    }
    return [{"$match": which}, {"$group": of_payment}]


def rest_query(keys: Iterable[tuple[str, str]]) -> list[Document]:
    """The stages that tell how long these payments, (`member_number`, `payment_id`), have rested."""
    of_member: dict[str, list[str]] = {}
    for member_number, payment_id in keys:
        of_member.setdefault(member_number, []).append(payment_id)
    which = [
        {"member_number": member_number, "payment.payment_id": {"$in": payment_ids}}
        for member_number, payment_ids in of_member.items()
    ]
    of_payment = {
        "_id": {"member_number": "$member_number", "payment_id": "$payment.payment_id"},
        "paid_on": {"$max": "$payment.paid_on"},
        "claim_count": {"$sum": 1},
        "changed_at": {"$max": "$updated_at"},
    }
    return [
        {"$match": {"$or": which}},
        {"$group": of_payment},
        {"$set": {"rested_ms": {"$subtract": ["$$NOW", "$changed_at"]}}},
    ]
