"""Payments, each with a statement (décompte)."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from services.claims.models import PaymentList, PaymentSum, Statement
from services.claims.schemas.reimbursements import ReimbursementDetail, Totals


class PayeeName(BaseModel):
    """Who was paid; `payee_name` says which provider (third-party payment)."""

    payee: Literal["member", "provider"]
    payee_name: str | None


class PaymentItem(BaseModel):
    """One payment, as it concerns this member. `amount_cents` is what was paid on that day, and stays.

    `taken_back_cents`: what reversals have taken back of it since, negative or 0.
    """

    payment_id: str
    paid_on: dt.date
    amount_cents: int
    taken_back_cents: int
    claim_count: int
    payees: list[PayeeName]

    @classmethod
    def of(cls, payment: PaymentSum) -> "PaymentItem":
        """The payment as added up."""
        return cls.model_validate(payment, from_attributes=True)


class SumOfPayments(BaseModel):
    """All payments of the year that was asked for, or of all years, added up; not this page of them."""

    payment_count: int
    claim_count: int
    amount_cents: int
    taken_back_cents: int


class PaymentPage(BaseModel):
    """`next_cursor` is absent on the last page. `years`: those that have payments, newest first."""

    items: list[PaymentItem]
    next_cursor: str | None
    years: list[int]
    totals: SumOfPayments

    @classmethod
    def of(cls, found: PaymentList, next_cursor: str | None) -> "PaymentPage":
        """A page of the list."""
        return cls(
            items=[PaymentItem.of(payment) for payment in found.payments],
            next_cursor=next_cursor,
            years=list(found.years),
            totals=SumOfPayments.model_validate(found.totals, from_attributes=True),
        )


class StatementDetail(BaseModel):
    """A payment with its claims, and the sums of all their lines."""

    member_number: str
    first_name: str
    last_name: str
    payment: PaymentItem
    claims: list[ReimbursementDetail]
    totals: Totals

    @classmethod
    def of(cls, statement: Statement) -> "StatementDetail":
        """The same figures as on the pages of these claims."""
        claims = [ReimbursementDetail.of(claim) for claim in statement.claims]
        facts = statement.member.facts
        first, last = (facts[name].value if name in facts else "" for name in ("first_name", "last_name"))
        return cls(
            member_number=statement.member.member_number,
            first_name=first,
            last_name=last,
            payment=PaymentItem.of(statement.payment),
            claims=claims,
            totals=Totals.of([line for claim in claims for line in claim.lines]),
        )
