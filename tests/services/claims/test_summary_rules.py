"""A year in figures: months and domains add up to the same total, and a reversal takes back what was paid."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims.models import PaidLines
from services.claims.summary import Summary, summary

LINES = PaidLines(
    month="2026-11",
    taken_back="",
    domain="PHAR",
    payee="member",
    spent_cents=2000,
    statutory_cents=1300,
    complementary_cents=700,
    other_cents=0,
    deduction_cents=0,
    claims=1,
    claims_of_domain=1,
    listed_amount_cents=700,
    listed_spent_cents=2000,
    listed_left_to_pay_cents=0,
)
MONTHS = st.builds("{:04}-{:02}".format, st.integers(2025, 2027), st.integers(1, 12))
CENTS = st.integers(-(2**63), 2**63 - 1)
ALL_LINES = st.builds(
    PaidLines,
    month=MONTHS,
    taken_back=MONTHS | st.just(""),
    domain=st.sampled_from(["PHAR", "OPTI", "DENT"]),
    payee=st.sampled_from(["member", "provider"]),
    spent_cents=CENTS,
    statutory_cents=CENTS,
    complementary_cents=CENTS,
    other_cents=CENTS,
    deduction_cents=CENTS,
    claims=st.integers(0, 5),
    claims_of_domain=st.integers(0, 5),
    listed_amount_cents=CENTS,
    listed_spent_cents=CENTS,
    listed_left_to_pay_cents=CENTS,
)


@given(st.lists(ALL_LINES, max_size=12), st.integers(2025, 2027))
def test_months_and_domains_add_up_to_the_total(found: list[PaidLines], year: int) -> None:
    told = summary(year, found)
    total = asdict(told.total)
    assert total == {name: sum(asdict(month)[name] for month in told.months) for name in total}
    cents = [name for name in total if name.endswith("_cents")]
    assert [total[c] for c in cents] == [sum(asdict(one.sums)[c] for one in told.domains) for c in cents]


@given(st.lists(ALL_LINES, max_size=12))
def test_over_all_years_what_was_taken_back_is_zero(found: list[PaidLines]) -> None:
    taken_back = [replace(lines, taken_back=lines.taken_back or lines.month) for lines in found]
    totals = [asdict(summary(year, taken_back).total) for year in range(2025, 2028)]
    assert not any(sum(total[name] for total in totals) for name in totals[0] if name != "taken_back_cents")
    assert sum(total["taken_back_cents"] for total in totals) == -sum(lines.complementary_cents for lines in found)


def months(told: Summary) -> dict[int, int]:
    return {n: sums.reimbursed_cents for n, sums in enumerate(told.months, 1) if sums.reimbursed_cents}


def test_a_claim_counts_in_its_month_and_is_taken_back_in_the_reversals() -> None:
    found = [replace(LINES, month="2026-12", taken_back="2027-01"), LINES]
    assert months(summary(2026, found)) == {11: 700, 12: 700}
    assert months(summary(2027, found)) == {1: -700}
    assert [summary(year, found).total.claim_count for year in (2026, 2027)] == [1, 0]
    assert [summary(year, found).total.taken_back_cents for year in (2026, 2027)] == [0, -700]


def test_what_providers_were_paid_is_reimbursed_but_not_to_the_member() -> None:
    total = summary(2026, [LINES, replace(LINES, payee="provider", complementary_cents=300)]).total
    assert (total.reimbursed_cents, total.to_member_cents) == (1000, 700)


def test_a_deduction_makes_the_statutory_part_smaller_and_what_is_left_larger() -> None:
    deduction = replace(
        LINES, spent_cents=0, statutory_cents=-100, complementary_cents=0, deduction_cents=100, claims=0
    )
    total = summary(2026, [LINES, deduction]).total
    assert (total.statutory_cents, total.left_to_pay_cents, total.claim_count) == (1200, 100, 1)
    assert total.deduction_cents == 100


def test_domains_are_those_of_the_year_largest_first() -> None:
    small = replace(LINES, domain="DENT", complementary_cents=1)
    equal = [replace(LINES, domain=domain) for domain in ("PHAR", "OPTI")]
    elsewhere = replace(LINES, domain="HOSP", month="2025-01")
    assert [one.domain for one in summary(2026, [small, *equal, elsewhere]).domains] == ["OPTI", "PHAR", "DENT"]


def test_a_claim_of_several_domains_counts_in_each_for_its_acts_and_in_their_lists_whole() -> None:
    glasses = replace(
        LINES, domain="OPTI", complementary_cents=300, spent_cents=900, claims=0, listed_amount_cents=1000
    )
    [medicine, optics] = summary(2026, [replace(LINES, listed_amount_cents=1000), glasses]).domains
    assert (medicine.sums.reimbursed_cents, optics.sums.reimbursed_cents) == (700, 300)
    assert (medicine.in_list.reimbursed_cents, optics.in_list.reimbursed_cents) == (1000, 1000)
    [taken_back] = summary(2027, [replace(glasses, month="2026-12", taken_back="2027-01")]).domains
    assert taken_back.in_list.reimbursed_cents == -1000


def test_years_are_those_with_reimbursements_or_reversals_newest_first() -> None:
    found = [replace(LINES, month=month) for month in ("2024-12", "2025-01", "2025-02")]
    assert summary(2000, [*found, replace(LINES, month="2026-12", taken_back="2027-01")]).years == (
        2027, 2026, 2025, 2024,
    )  # fmt: skip


@pytest.mark.parametrize("month", ["0202-11", "2201-01"])
def test_a_year_that_cannot_be_asked_for_is_not_offered(month: str) -> None:
    assert summary(2026, [replace(LINES, month=month)]).years == ()


def test_a_member_without_reimbursements_has_twelve_empty_months() -> None:
    told = summary(2026, [])
    assert (told.years, told.domains, len(told.months)) == ((), (), 12)
    assert set(told.months) == {told.total}
    assert not any(asdict(told.total).values())
