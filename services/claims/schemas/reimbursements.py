"""Claims as their member sees them: in a list, and one with its lines."""

import datetime as dt
from typing import Any, Literal, Self

from pydantic import BaseModel

from services.claims import rules
from services.claims.models import Reimbursement, ReimbursementList, Status
from shared.events.claims_payment import ClaimLine, ClaimRefused, ClaimReversed, Payment


class BeneficiaryName(BaseModel):
    """Whom a claim is for; `first_name` is absent until contract management has announced the member."""

    rank: int
    first_name: str | None


class PaymentDetail(BaseModel):
    """Who was paid, and when; `payee_name` says which provider (third-party payment)."""

    payment_id: str
    paid_on: dt.date
    payee: Literal["member", "provider"]
    payee_name: str | None

    @classmethod
    def of(cls, payment: Payment) -> "PaymentDetail":
        """The payment as announced."""
        return cls(**payment.model_dump())


class ReimbursementItem(BaseModel):
    """One claim in a list. Amounts are absent where the status has none; those of a reversal are negative.

    What it takes back beside its amount is absent while its claim is unknown.
    """

    claim_id: str
    status: Status
    date: dt.date
    beneficiary: BeneficiaryName | None
    label: str | None
    domains: list[str]
    amount_cents: int | None
    spent_cents: int | None
    left_to_pay_cents: int | None
    payment: PaymentDetail | None
    reverses: str | None
    reversed_by: str | None

    @classmethod
    def of(cls, reimbursement: Reimbursement) -> Self:
        """A claim as its member sees it."""
        return cls.model_validate(_summary(reimbursement))


class SumOfList(BaseModel):
    """The whole filtered list added up, not this page of it; reversals are subtracted where they are in it."""

    claim_count: int
    reimbursed_cents: int
    spent_cents: int
    left_to_pay_cents: int


class ReimbursementPage(BaseModel):
    """`next_cursor` is absent on the last page. `beneficiaries`: whom the list may be filtered by."""

    items: list[ReimbursementItem]
    next_cursor: str | None
    totals: SumOfList
    beneficiaries: list[BeneficiaryName]

    @classmethod
    def of(cls, found: ReimbursementList, next_cursor: str | None) -> Self:
        """A page of the list."""
        return cls(
            items=[ReimbursementItem.of(claim) for claim in found.claims],
            next_cursor=next_cursor,
            totals=SumOfList.model_validate(found.totals, from_attributes=True),
            beneficiaries=[BeneficiaryName(rank=r, first_name=name) for r, name in sorted(found.first_names.items())],
        )


class LineDetail(BaseModel):
    """One act. A negative statutory part is a deduction (participation forfaitaire, franchise) recovered from it."""

    line: int
    care_date: dt.date
    act_code: str
    act_label: str
    domain: str
    quantity: int
    spent_cents: int
    base_cents: int
    statutory_cents: int
    complementary_cents: int
    other_cents: int
    deduction_cents: int
    left_to_pay_cents: int

    @classmethod
    def of(cls, line: ClaimLine) -> "LineDetail":
        """The line as paid."""
        told = line.model_dump()
        return cls(
            **told,
            deduction_cents=max(0, -line.statutory_cents),
            left_to_pay_cents=line.left_to_pay_cents,
        )


class Totals(BaseModel):
    """The sums of the lines: they fit in 64 bits, the contract says so."""

    spent_cents: int
    base_cents: int
    statutory_cents: int
    complementary_cents: int
    other_cents: int
    deduction_cents: int
    left_to_pay_cents: int

    @classmethod
    def of(cls, lines: list[LineDetail]) -> "Totals":
        """Column by column."""
        return cls(**{name: sum(getattr(line, name) for line in lines) for name in cls.model_fields})


class Refusal(BaseModel):
    """Why a claim was refused, and what the member can do."""

    refused_on: dt.date
    reason_code: str
    reason: str
    what_to_do: str | None

    @classmethod
    def of(cls, refused: ClaimRefused) -> "Refusal":
        """The refusal as announced."""
        return cls.model_validate(refused, from_attributes=True)


class Reversal(BaseModel):
    """`claim_id` is the reversal's own, `reverses` the claim it takes back whole."""

    claim_id: str
    reverses: str
    reversed_on: dt.date
    amount_cents: int
    reason: str

    @classmethod
    def of(cls, reversed_: ClaimReversed) -> "Reversal":
        """The reversal as announced."""
        return cls.model_validate(reversed_, from_attributes=True)


class ReimbursementDetail(ReimbursementItem):
    """One claim, whole."""

    received_on: dt.date | None
    lines: list[LineDetail]
    totals: Totals | None
    refusal: Refusal | None
    reversal: Reversal | None
    document_ids: list[str]

    @classmethod
    def of(cls, reimbursement: Reimbursement) -> Self:
        """A claim as its member sees it, with its lines."""
        claim, status = reimbursement.claim, reimbursement.listing.status
        lines = [LineDetail.of(line) for line in claim.paid.value.lines] if claim.paid else []
        reversal = claim.reversal if status is Status.REVERSAL else claim.reversed_by
        return cls(
            **_summary(reimbursement),
            received_on=claim.received.value.received_on if claim.received else None,
            lines=lines,
            totals=Totals.of(lines) if lines else None,
            refusal=Refusal.of(claim.refused.value) if claim.refused and status is Status.REFUSED else None,
            reversal=Reversal.of(reversal.value) if reversal else None,
            document_ids=rules.document_ids(claim),
        )


def _summary(reimbursement: Reimbursement) -> dict[str, Any]:
    claim, listing = reimbursement.claim, reimbursement.listing
    figures = listing.figures
    paid = claim.paid.value if claim.paid else None
    rank = listing.beneficiary_rank
    taken_back = claim.reversed_by if listing.status is Status.REVERSED else None
    takes_back = claim.reversal if listing.status is Status.REVERSAL else None
    return {
        "claim_id": claim.claim_id,
        "status": listing.status,
        "date": listing.date,
        "beneficiary": BeneficiaryName(rank=rank, first_name=reimbursement.first_name) if rank else None,
        "label": rules.label(claim),
        "domains": list(listing.domains),
        "amount_cents": figures.amount_cents if figures else None,
        "spent_cents": figures.spent_cents if figures else None,
        "left_to_pay_cents": figures.left_to_pay_cents if figures else None,
        "payment": PaymentDetail.of(paid.payment) if paid else None,
        "reverses": takes_back.value.reverses if takes_back else None,
        "reversed_by": taken_back.value.claim_id if taken_back else None,
    }
