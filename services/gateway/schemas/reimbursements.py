"""claims' answers about reimbursements."""

from datetime import date
from typing import Literal

from services.gateway.schemas.wire import Wire


class Beneficiary(Wire):
    """Whom a claim is for."""

    rank: int = 0
    first_name: str | None = None


class Payment(Wire):
    """`payee_name` says which provider was paid (third-party payment)."""

    payment_id: str
    paid_on: date
    payee: Literal["member", "provider"]
    payee_name: str | None = None


class Reimbursement(Wire):
    """One claim in the list; amounts in integer euro cents, absent where the status has none."""

    claim_id: str
    status: Literal["received", "refused", "paid", "reversed", "reversal"]
    date: date
    beneficiary: Beneficiary | None = None
    label: str | None = None
    domains: tuple[str, ...] = ()
    amount_cents: int | None = None
    left_to_pay_cents: int | None = None
    payment: Payment | None = None
    reverses: str | None = None
    reversed_by: str | None = None


class SumOfList(Wire):
    """The whole filtered list added up, not the page of it; integer euro cents."""

    claim_count: int = 0
    reimbursed_cents: int = 0
    spent_cents: int = 0
    left_to_pay_cents: int = 0


class ReimbursementPage(Wire):
    """Newest first. `next_cursor` is absent on the last page. `beneficiaries`: whom one may choose."""

    items: tuple[Reimbursement, ...]
    next_cursor: str | None = None
    totals: SumOfList = SumOfList()
    beneficiaries: tuple[Beneficiary, ...] = ()


class Totals(Wire):
    """Sums in integer euro cents; spent − statutory − complementary − other = left to pay."""

    spent_cents: int
    base_cents: int
    statutory_cents: int
    complementary_cents: int
    other_cents: int
    deduction_cents: int
    left_to_pay_cents: int


class Line(Totals):
    """One act. `deduction_cents`: participation forfaitaire or franchise recovered (a negative statutory part)."""

    care_date: date
    act_label: str
    quantity: int


class Refusal(Wire):
    """Why a claim was refused, and what the member can do."""

    refused_on: date
    reason: str
    what_to_do: str | None = None


class Reversal(Wire):
    """`reverses` is the claim taken back, `claim_id` the reversal's own."""

    claim_id: str
    reverses: str
    reversed_on: date
    amount_cents: int
    reason: str


class ReimbursementDetail(Reimbursement):
    """One claim, whole."""

    received_on: date | None = None
    lines: tuple[Line, ...] = ()
    totals: Totals | None = None
    refusal: Refusal | None = None
    reversal: Reversal | None = None
    document_ids: tuple[str, ...] = ()


class Figures(Wire):
    """Integer euro cents, reversals subtracted; `to_member_cents` is of `reimbursed_cents`, what no provider got.

    `taken_back_cents`: what reversals subtracted from it, negative or 0. `deduction_cents`: what was recovered from
    `statutory_cents` (participation forfaitaire, franchise).
    """

    reimbursed_cents: int
    to_member_cents: int
    spent_cents: int
    statutory_cents: int
    other_cents: int
    left_to_pay_cents: int
    deduction_cents: int = 0
    taken_back_cents: int = 0
    claim_count: int


class MonthFigures(Figures):
    """`month` is 1 to 12. Negative where more was taken back than paid."""

    month: int


class ListedFigures(Wire):
    """What the list of a domain's claims in a year adds up to: there they count whole, with acts of other domains."""

    reimbursed_cents: int
    spent_cents: int
    left_to_pay_cents: int


class DomainFigures(Figures):
    """`domain` is a code of the coverage grid."""

    domain: str
    in_list: ListedFigures | None = None


class Summary(Wire):
    """A year: twelve `months`, `domains` largest first; `years` are those that have figures, newest first."""

    year: int
    years: tuple[int, ...] = ()
    total: Figures
    months: tuple[MonthFigures, ...]
    domains: tuple[DomainFigures, ...] = ()
