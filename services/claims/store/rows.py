"""Stored documents and the models they stand for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.claims.member_rules import coverage_key
from services.claims.models import (
    Claim,
    DomainSums,
    Fact,
    Figures,
    Listing,
    Member,
    Order,
    Payee,
    PaymentAtRest,
    PaymentSum,
    Status,
    Told,
)
from services.claims.rules import by_domain, document_ids, figures, original_key
from services.claims.store.kept import FACTS
from shared.events.claims_payment import ClaimPaid, ClaimsPaymentEvent
from shared.events.membership import Coverage
from shared.live import key
from shared.mongo import Document

ORDERS = [f"told.{name}.{part}" for name in FACTS for part in ("time", "id")]
"""What `orders_of` needs of a row."""


def claim_row(claim: Claim, listing: Listing | None) -> Document:
    """A claim as it is stored."""
    row: Document = {
        "_id": key(claim.member_number, claim.claim_id),
        "member_number": claim.member_number,
        "claim_id": claim.claim_id,
        "document_ids": document_ids(claim),
    }
    if listing:
        row |= listing_row(listing)
    if claim.paid:
        row |= _paid_row(claim.paid.value)
    if claim.reversed_by:
        by = claim.reversed_by.value
        row["taken_back"] = {"reversed_on": by.reversed_on.isoformat(), "amount_cents": by.amount_cents}
    if taken_back := original_key(claim):
        row["reverses"] = taken_back
    row["told"] = {name: _told_row(fact) for name in FACTS if (fact := getattr(claim, name))}
    return row


def _told_row(fact: Told[ClaimsPaymentEvent]) -> Document:
    time, event_id = fact.order
    return {"time": time, "id": event_id, "json": fact.json}


def _paid_row(paid: ClaimPaid) -> Document:
    """What payments and years are added up from."""
    payment = paid.payment
    return {
        "payment": {
            "payment_id": payment.payment_id,
            "paid_on": payment.paid_on.isoformat(),
            "payee": payment.payee,
            "payee_name": payment.payee_name,
        },
        "by_domain": [_domain_row(domain, sums) for domain, sums in by_domain(paid).items()],
    }


def _domain_row(domain: str, sums: DomainSums) -> Document:
    amounts = sums.amounts
    return {
        "domain": domain,
        "spent_cents": amounts.spent_cents,
        "statutory_cents": amounts.statutory_cents,
        "complementary_cents": amounts.complementary_cents,
        "other_cents": amounts.other_cents,
        "deduction_cents": sums.deduction_cents,
    }


def listing_row(listing: Listing) -> Document:
    """What of a stored claim its listing is."""
    # By hand: dataclasses.asdict copies every word, which took a quarter of the time of a batch.
    return {
        "status": listing.status.value,
        "date": listing.date,
        "beneficiary_rank": listing.beneficiary_rank,
        "domains": list(listing.domains),
        "words": list(listing.words),
        "figures": listing.figures._asdict() if listing.figures else None,
    }


def claim_of(row: Document) -> Claim:
    """The claim of a row."""
    facts: dict[str, Any] = {name: _fact(told, FACTS[name]) for name, told in row["told"].items()}
    return Claim(row["member_number"], row["claim_id"], **facts)


def orders_of(row: Document) -> dict[str, Order]:
    """The order of each fact of a row, by the fact's name."""
    return {name: (told["time"], told["id"]) for name, told in row["told"].items()}


def listed(row: Document) -> tuple[Claim, Listing]:
    """A row that shows something; while claims are rebuilt it may lack what this release derives besides."""
    claim = claim_of(row)
    held = Figures(**row["figures"]) if row.get("figures") else figures(claim, None)
    words, domains = tuple(row.get("words", ())), tuple(row["domains"])
    return claim, Listing(Status(row["status"]), row["date"], row["beneficiary_rank"], domains, words, held)


def _fact(stored: Document, kind: type[ClaimsPaymentEvent]) -> Told[ClaimsPaymentEvent]:
    return Told((stored["time"], stored["id"]), kind.model_validate_json(stored["json"]), stored["json"])


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
