"""Which card is in force on a day, what stands in its grid, and when a renewal is announced."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from services.claims import card
from services.claims.card import Card, Cell
from services.claims.member_rules import merge_member
from services.claims.models import Member
from shared.events.membership import Guarantee
from tests.services.claims import examples
from tests.services.claims.examples import MEMBER, coverage, coverage_changed, ended, enrolled, event, grid

NOVEMBER = date(2026, 11, 24)


def known(*facts: Any) -> Member:
    """What is known after these, told one second after the other."""
    member = Member(MEMBER)
    for second, fact in enumerate(facts):
        member = merge_member(member, fact, event(fact, second, str(second)).order, lambda nir, place: nir)
    return member


def in_force(day: date, *facts: Any) -> Card | None:
    return card.card_on(known(*facts), day)


def test_a_card_is_in_force_from_its_first_day_to_its_last() -> None:
    for day, there in {
        date(2025, 12, 31): False,
        date(2026, 1, 1): True,
        date(2026, 12, 31): True,
        date(2027, 1, 1): False,
    }.items():
        assert (in_force(day, enrolled()) is not None) is there, day


def test_who_is_not_known_has_no_card() -> None:
    assert in_force(NOVEMBER) is None
    assert in_force(NOVEMBER, examples.updated(last_name="Durand")) is None


def test_of_periods_that_overlap_the_one_that_begins_last_is_in_force_whatever_came_first() -> None:
    year, half = coverage("C-1"), coverage("C-2", valid_from=date(2026, 7, 1))
    for first, second in permutations([year, half]):
        member = known(enrolled(coverage=first), coverage_changed(second))
        assert [_contract(member, date(2026, month, 1)) for month in (6, 7)] == ["C-1", "C-2"]


def test_of_periods_that_begin_together_the_newest_told_is_in_force() -> None:
    member = known(enrolled(coverage=coverage("C-9")), coverage_changed(coverage("C-1")))
    assert _contract(member, NOVEMBER) == "C-1"


@pytest.mark.parametrize(
    ("before", "new", "periods"),
    [
        ([], enrolled(), 0),
        ([enrolled()], coverage_changed(coverage(year=2027)), 0),
        ([enrolled()], coverage_changed(coverage("C-2", valid_from=date(2026, 12, 31))), 1),
        ([enrolled()], coverage_changed(coverage("C-2")), 1),
        ([enrolled(), coverage_changed(coverage(year=2027))], coverage_changed(coverage(csr="02")), 0),
        (
            [enrolled(), coverage_changed(coverage(year=2027))],
            coverage_changed(coverage(valid_until=date(2027, 1, 1))),
            1,
        ),
        ([enrolled(), coverage_changed(coverage("C-2"))], examples.updated(last_name="Durand"), 0),
    ],
    ids=[
        "the first period",
        "the next year",
        "the last day in common",
        "another contract of the same year",
        "a correction",
        "a correction that goes on too long",
        "no period at all",
    ],
)
def test_periods_that_overlap_are_seen_when_they_are_told(before: list[Any], new: Any, periods: int) -> None:
    held = known(*before)
    told = merge_member(held, new, event(new, 9).order, lambda nir, place: nir)
    assert card.overlaps(held, told) == periods
    assert card.overlaps(told, told) == 0


def test_an_ended_membership_has_a_card_until_its_last_day_and_the_card_says_so() -> None:
    member = known(enrolled(), ended(date(2026, 6, 30)))
    last = card.card_on(member, date(2026, 6, 30))
    assert last is not None
    assert last.valid_until == date(2026, 6, 30)
    assert card.card_on(member, date(2026, 7, 1)) is None
    assert _contract(known(enrolled(), ended(date(2026, 6, 30)), enrolled()), NOVEMBER) == "C-1"


def test_the_next_card_is_the_first_to_begin_after_the_day_and_before_the_membership_ends() -> None:
    facts = [enrolled(), coverage_changed(coverage(year=2028)), coverage_changed(coverage(year=2027))]
    found = in_force(NOVEMBER, *facts)
    assert found is not None
    assert found.next_valid_from == date(2027, 1, 1)
    assert card.next_valid_from(known(*facts), date(2025, 1, 1)) == date(2026, 1, 1)
    assert card.next_valid_from(known(*facts, ended(date(2026, 12, 31))), NOVEMBER) is None


def test_the_grid_of_the_user_guide() -> None:
    found = in_force(NOVEMBER, enrolled(coverage=grid()))
    assert found is not None
    assert " ".join(card.DOMAINS) == "PHAR MED RLAX SAGE EXTE CSTE HOSP OPTI DESO DEPR AUDI DIV"
    laure, hugo = found.insured
    assert laure.cells == hugo.cells
    assert [cell.operator for cell in laure.cells if cell] == [
        "SP",
        "SP",
        "SP",
        "SP",
        "IS",
        "SP",
        "OC",
        "SP/OC",
        *["OC"] * 4,
    ]
    assert [cell.level for cell in laure.cells if cell] == [
        "100/100/100",
        *["100%"] * 5,
        *("(1)", "(1)", "(2)", "(1)", "(1)", "(2)"),
    ]
    assert found.operators == tuple(cell.operator for cell in laure.cells if cell)
    assert [cell.notes for cell in laure.cells if cell][5:9] == [(), ("1",), ("1",), ("2",)]


def test_a_domain_that_is_absent_is_an_empty_cell_and_ranks_say_for_whom() -> None:
    hospital = Guarantee(domain="HOSP", operator="OC", level="100% (1) (9)", ranks=(1,))
    found = in_force(NOVEMBER, enrolled(coverage=coverage(guarantees=(hospital,), footnotes={"1": "Sur demande"})))
    assert found is not None
    laure, hugo = found.insured
    assert laure.cells[card.DOMAINS.index("HOSP")] == Cell("OC", "100% (1) (9)", ("1",))
    assert sum(cell is not None for cell in (*laure.cells, *hugo.cells)) == 1


def test_a_guarantee_that_names_a_person_goes_before_one_for_all_and_the_last_told_of_equals() -> None:
    told = [("(1)", None), ("60%", (2,)), ("100%", None), ("80%", (2,))]
    guarantees = tuple(Guarantee(domain="OPTI", operator="OC", level=level, ranks=ranks) for level, ranks in told)
    found = in_force(NOVEMBER, enrolled(coverage=coverage(guarantees=guarantees)))
    assert found is not None
    cells = [person.cells[card.DOMAINS.index("OPTI")] for person in found.insured]
    assert [cell and cell.level for cell in cells] == ["100%", "80%"]


def test_the_row_of_operators_has_those_that_everybody_has_in_common() -> None:
    told = [("PHAR", "SP", None), ("MED", "SP", (1,)), ("HOSP", "OC", (1,)), ("HOSP", "IS", (2,))]
    guarantees = tuple(Guarantee(domain=d, operator=o, level="100%", ranks=ranks) for d, o, ranks in told)  # type: ignore[arg-type]  # literals
    found = in_force(NOVEMBER, enrolled(coverage=coverage(guarantees=guarantees)))
    assert found is not None
    row = dict(zip(card.DOMAINS, found.operators, strict=True))
    assert (row["PHAR"], row["MED"], row["HOSP"], row["DIV"]) == ("SP", "SP", None, None)


def test_a_card_of_nobody_yet_has_its_twelve_columns() -> None:
    found = in_force(NOVEMBER, coverage_changed(coverage()))
    assert found is not None
    assert (found.insured, found.operators) == ((), (None,) * 12)


def test_footnotes_stand_by_number_then_by_letter() -> None:
    marks = ("*", "10", "b", "2", "A", "1")
    assert [mark for mark, _ in card.footnotes(coverage(footnotes=dict.fromkeys(marks, "Note")))] == [
        *("1", "2", "10"),
        *("*", "A", "b"),
    ]


def test_beneficiaries_stand_by_rank() -> None:
    people = tuple(examples.beneficiary(rank, f"Rang {rank}") for rank in (10, 2, 1))
    found = in_force(NOVEMBER, enrolled(beneficiaries=people))
    assert found is not None
    assert [person.rank for person in found.insured] == [1, 2, 10]


@pytest.mark.parametrize(
    ("before", "new", "announced"),
    [
        ([], enrolled(), None),
        ([enrolled()], coverage_changed(coverage(year=2027)), date(2027, 1, 1)),
        ([enrolled()], enrolled(coverage=coverage(year=2027)), date(2027, 1, 1)),
        ([enrolled()], coverage_changed(coverage("C-2", valid_from=date(2026, 7, 1))), date(2026, 7, 1)),
        ([enrolled()], coverage_changed(coverage(csr="02")), None),
        ([enrolled()], coverage_changed(coverage(year=2025)), None),
        ([enrolled(coverage=coverage(year=2023))], coverage_changed(coverage(year=2024)), None),
        ([enrolled(), ended(date(2026, 12, 31))], coverage_changed(coverage(year=2027)), None),
        ([enrolled(), coverage_changed(coverage(year=2027))], coverage_changed(coverage("C-2", 2027)), None),
        ([enrolled()], examples.updated(last_name="Durand"), None),
    ],
    ids=[
        "the first period",
        "the next year",
        "the next year by enrolling anew",
        "another contract from this summer on",
        "a correction",
        "an earlier year",
        "a year that is over",
        "beyond the end of the membership",
        "a second contract of the same day",
        "a new name",
    ],
)
def test_what_announces_a_renewed_card(before: list[Any], new: Any, announced: date | None) -> None:
    assert card.renewed(known(*before), known(*before, new), NOVEMBER) == announced


def _contract(member: Member, day: date) -> str:
    found = card.card_on(member, day)
    assert found is not None
    return found.coverage.contract_number
