"""Stored documents and the models they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from services.claims.models import (
    Claim,
    Fact,
    Figures,
    Listing,
    Member,
    Order,
    Payee,
    PaymentAtRest,
    PaymentSum,
    Status,
)
from services.claims.rules import coverage_key, figures, original_key
from shared.events.claims_payment import ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed, ClaimsPaymentEvent
from shared.events.membership import Coverage
from shared.live import key
from shared.mongo import Document

_FACTS: Mapping[str, type[ClaimsPaymentEvent]] = {
    "received": ClaimReceived,
    "refused": ClaimRefused,
    "paid": ClaimPaid,
    "reversed_by": ClaimReversed,
    "reversal": ClaimReversed,
}
_FIGURES = tuple(each.name for each in fields(Figures))
ORDERS = [f"{name}.order" for name in _FACTS]
"""What `orders_of` needs of a row."""


def claim_row(claim: Claim, listing: Listing | None) -> Document:
    """A claim as it is stored."""
    row: Document = {
        "_id": key(claim.member_number, claim.claim_id),
        "member_number": claim.member_number,
        "claim_id": claim.claim_id,
    }
    if listing:
        row |= listing_row(listing)
    for name in _FACTS:
        fact: Fact[ClaimsPaymentEvent] | None = getattr(claim, name)
        if fact:
            row[name] = {"order": list(fact.order), **fact.value.model_dump(mode="json", exclude_none=True)}
    if taken_back := original_key(claim):
        row["reverses"] = taken_back
    return row


def listing_row(listing: Listing) -> Document:
    """What of a stored claim its listing is."""
    # By hand: dataclasses.asdict copies every word, which took a quarter of the time of a batch.
    return {
        "status": listing.status.value,
        "date": listing.date,
        "beneficiary_rank": listing.beneficiary_rank,
        "domains": list(listing.domains),
        "words": list(listing.words),
        "figures": {name: getattr(listing.figures, name) for name in _FIGURES} if listing.figures else None,
    }


def claim_of(row: Document) -> Claim:
    """The claim of a row."""
    facts: dict[str, Any] = {name: _fact(row[name], kind) for name, kind in _FACTS.items() if name in row}
    return Claim(row["member_number"], row["claim_id"], **facts)


def orders_of(row: Document) -> dict[str, Order]:
    """The order of each fact of a row, by the fact's name."""
    return {name: _order(row[name]["order"]) for name in _FACTS if name in row}


def listed(row: Document) -> tuple[Claim, Listing]:
    """A row that shows something. One of an older release has no words yet, and a reversal's figures are incomplete."""
    claim = claim_of(row)
    held = Figures(**row["figures"]) if row.get("figures") else figures(claim, None)
    words, domains = tuple(row.get("words", ())), tuple(row["domains"])
    return claim, Listing(Status(row["status"]), row["date"], row["beneficiary_rank"], domains, words, held)


def _fact(stored: Document, kind: type[ClaimsPaymentEvent]) -> Fact[ClaimsPaymentEvent]:
    # Not strict: stored dates are text, stored tuples are lists. It was strict when the event came in.
    return Fact(_order(stored["order"]), kind.model_validate(stored, strict=False))


def member_row(member: Member) -> Document:
    """A member as they are stored."""
    return {
        "_id": member.member_number,
        "facts": {name: {"order": list(fact.order), "value": fact.value} for name, fact in member.facts.items()},
        "coverages": [
            {"order": list(fact.order), **fact.value.model_dump(mode="json")}
            for _, fact in sorted(member.coverages.items())
        ],
    }


def member_of(row: Document) -> Member:
    """The member of a row."""
    facts = {name: Fact(_order(stored["order"]), stored["value"]) for name, stored in row["facts"].items()}
    coverages = [
        Fact(_order(stored["order"]), Coverage.model_validate(stored, strict=False)) for stored in row["coverages"]
    ]
    return Member(row["_id"], facts, {coverage_key(fact.value): fact for fact in coverages})


def payment_sum(row: Document) -> PaymentSum:
    """A payment as `queries.payments` added it up."""
    payees = [Payee(one["payee"], one.get("payee_name")) for one in row["payees"]]
    return PaymentSum(
        payment_id=row["_id"],
        paid_on=row["paid_on"],
        amount_cents=int(row["amount_cents"]),
        taken_back_cents=int(row["taken_back_cents"]),
        claim_count=row["claim_count"],
        payees=tuple(sorted(payees, key=lambda one: (one.payee, one.payee_name or ""))),
    )


def payment_at_rest(row: Document) -> PaymentAtRest:
    """A payment as `queries.rest_query` finds it."""
    rested = timedelta(milliseconds=int(row["rested_ms"]))
    return PaymentAtRest(**row["_id"], paid_on=row["paid_on"], claim_count=row["claim_count"], rested=rested)


def _order(stored: Sequence[Any]) -> Order:
    return stored[0], stored[1]
