"""A member's year in figures."""

from typing import Any

from pydantic import BaseModel

from services.claims import summary


class Sums(BaseModel):
    """Integer cents, reversals subtracted. `reimbursed_cents` is what we paid, `to_member_cents` not to a provider.

    `taken_back_cents`: what reversals took back of `reimbursed_cents`, negative or 0. `deduction_cents`: by how much
    deductions (participation forfaitaire, franchise) make `statutory_cents` smaller.
    `claim_count`: claims paid and not taken back; one of several domains counts in each of them.
    """

    reimbursed_cents: int
    to_member_cents: int
    spent_cents: int
    statutory_cents: int
    other_cents: int
    left_to_pay_cents: int
    deduction_cents: int
    taken_back_cents: int
    claim_count: int


class MonthSums(Sums):
    """`month` is 1 to 12."""

    month: int


class ListedSums(BaseModel):
    """What the list filtered by a domain and a year adds up to: its claims count whole, with acts of other domains."""

    reimbursed_cents: int
    spent_cents: int
    left_to_pay_cents: int


class DomainSums(Sums):
    """`domain` is a code of the coverage grid; its sums are of its acts alone."""

    domain: str
    in_list: ListedSums


class SummaryDetail(BaseModel):
    """`months`: always twelve; `domains`: those of the year, largest first; `years`: with reimbursements, newest first.

    A claim counts in the month it was paid in, as in the list; what a reversal takes back, in the reversal's month.
    """

    year: int
    years: list[int]
    total: Sums
    months: list[MonthSums]
    domains: list[DomainSums]

    @classmethod
    def of(cls, found: summary.Summary) -> "SummaryDetail":
        """The year as added up."""
        return cls(
            year=found.year,
            years=list(found.years),
            total=Sums(**_told(found.total)),
            months=[MonthSums(month=n, **_told(sums)) for n, sums in enumerate(found.months, 1)],
            domains=[_domain(one) for one in found.domains],
        )


def _domain(found: summary.DomainYear) -> DomainSums:
    in_list = ListedSums.model_validate(found.in_list, from_attributes=True)
    return DomainSums(domain=found.domain, in_list=in_list, **_told(found.sums))


def _told(sums: summary.Sums) -> dict[str, Any]:
    return {name: getattr(sums, name) for name in Sums.model_fields}
