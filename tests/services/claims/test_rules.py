"""What the rules make of what is told of claims and members (`test_any_order.py`: in whatever order)."""

from collections.abc import Collection, Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from services.claims import rules
from services.claims.member_rules import merge_member
from services.claims.models import Claim, Figures, Listing, Member, Status
from shared.events.base import Event
from shared.events.claims_payment import Amounts
from shared.events.fields import MAX_CENTS, MIN_CENTS
from shared.live import key
from tests.services.claims import examples
from tests.services.claims.examples import MEMBER, enrolled, event, line, paid, received, refused, reversed_


class Shelf:
    """What the store promises about claims, in memory: those with these keys, their reversals, what these take back."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Claim, Listing | None]] = {}

    def around(self, keys: Collection[str]) -> dict[str, Claim]:
        found = {k: c for k, (c, _) in self.rows.items() if k in keys or rules.original_key(c) in keys}
        originals = {rules.original_key(c) for c in found.values()}
        return found | {k: c for k, (c, _) in self.rows.items() if k in originals}

    def take(self, batch: Sequence[Event[Any]]) -> None:
        named = {key(told.data.member_number, claim_id) for told in batch for claim_id in rules.claims_named(told.data)}
        for claim, listing in rules.fold(self.around(named), batch).claims:
            self.rows[key(claim.member_number, claim.claim_id)] = (claim, listing)


def after(*batches: Sequence[Event[Any]]) -> Shelf:
    shelf = Shelf()
    for batch in batches:
        shelf.take(batch)
    return shelf


def status_after(*events: Event[Any], claim_id: str = "R-1") -> Status | None:
    claim, _ = after(events).rows[key(MEMBER, claim_id)]
    return rules.status(claim)


def member_after(events: Any) -> Member:
    member = Member(MEMBER)
    for told in events:
        member = merge_member(member, told.data, told.order, lambda nir, place: f"sealed({nir}, {place})")
    return member


@pytest.mark.parametrize(
    ("facts", "ends"),
    [
        ([received("R-1")], Status.RECEIVED),
        ([received("R-1"), refused("R-1")], Status.REFUSED),
        ([received("R-1"), paid("R-1")], Status.PAID),
        ([refused("R-1"), paid("R-1")], Status.PAID),
        ([paid("R-1"), reversed_("V-1", "R-1")], Status.REVERSED),
        ([received("R-1"), reversed_("V-1", "R-1")], Status.RECEIVED),
        ([refused("R-1"), reversed_("V-1", "R-1")], Status.REFUSED),
        ([reversed_("V-1", "R-1")], None),
    ],
)
def test_the_states_of_a_claim(facts: list[Any], ends: Status | None) -> None:
    """received → paid | refused; refused → paid; paid → reversed; in any order, and whatever the clocks say."""
    for times in permutations(range(len(facts))):
        events = [event(fact, second, str(second)) for fact, second in zip(facts, times, strict=True)]
        for arrival in permutations(events):
            assert status_after(*arrival) is ends


def test_within_a_state_the_newest_time_wins_then_the_larger_id() -> None:
    older, newer = event(paid("R-1", rank=1), 1, "b"), event(paid("R-1", rank=2), 2, "a")
    tied = event(paid("R-1", rank=3), 2, "b")
    for arrival in permutations([older, newer, tied]):
        claim, listing = after(arrival).rows[key(MEMBER, "R-1")]
        assert listing is not None
        assert (rules.beneficiary_rank(claim), listing.beneficiary_rank) == (3, 3)


def test_a_reversal_is_found_wherever_its_claim_is_found_even_when_it_came_first() -> None:
    shelf = after(
        [event(reversed_("V-1", "R-1"), 2)],
        [event(paid("R-1", line(domain="OPTI", act_label="Verres"), rank=2), 1)],
    )
    _, listing = shelf.rows[key(MEMBER, "V-1")]
    assert listing is not None
    assert (listing.status, listing.beneficiary_rank, listing.domains) == (Status.REVERSAL, 2, ("OPTI",))
    assert "verres" in listing.words
    assert listing.figures == Figures(-700, -2000, -2000, -1300, 0, 0)


def test_what_is_told_of_a_reversal_alone_does_not_make_it_forget_its_claim() -> None:
    shelf = after(
        [event(paid("R-1", rank=2), 1), event(reversed_("V-1", "R-1"), 2)], [event(reversed_("V-2", "V-1"), 3)]
    )
    _, listing = shelf.rows[key(MEMBER, "V-1")]
    assert listing is not None
    assert listing.beneficiary_rank == 2


def test_repeating_what_is_known_changes_nothing_and_stores_nothing() -> None:
    told = event(paid("R-1"), 1)
    shelf = after([told])
    assert rules.fold(shelf.around({key(MEMBER, "R-1")}), [told]) == rules.Folded([], [], set())


def test_a_claim_is_found_by_the_words_of_its_ids_its_label_its_acts_and_who_was_paid() -> None:
    told = [event(received("R-1", label="Lunettes")), event(paid("R-1", payee_name="PHARMACIE  de l’Hôpital"))]
    claim, listing = after(told).rows[key(MEMBER, "R-1")]
    assert listing is not None
    assert listing.words == ("r", "1", "p", "lunettes", "pharmacie", "de", "l", "hopital", "65")
    assert rules.label(claim) == "Lunettes"


def test_of_a_reversal_alone_only_the_amount_is_known() -> None:
    _, listing = after([event(reversed_("V-1", "R-1"))]).rows[key(MEMBER, "V-1")]
    assert listing is not None
    assert listing.figures == Figures(-700)


def test_what_is_taken_back_fits_in_64_bits_even_where_its_opposite_does_not() -> None:
    lines = [line(spent_cents=MIN_CENTS, statutory_cents=0, complementary_cents=1, other_cents=MIN_CENTS)]
    shelf = after([event(paid("R-1", *lines)), event(reversed_("V-1", "R-1"))])
    _, listing = shelf.rows[key(MEMBER, "V-1")]
    assert listing is not None
    assert listing.figures is not None
    assert listing.figures.spent_cents == MAX_CENTS


def test_the_lines_of_each_domain_are_added_up_within_64_bits() -> None:
    nothing = {"base_cents": 0, "statutory_cents": 0, "complementary_cents": 0}
    dear = line(spent_cents=MAX_CENTS, other_cents=MAX_CENTS, **nothing)
    back = line(domain="OPTI", spent_cents=-MAX_CENTS, other_cents=-MAX_CENTS, **nothing)
    recovered = line(domain="DESO", spent_cents=0, base_cents=0, statutory_cents=-100, complementary_cents=100)
    told = paid("R-1", recovered, dear, line(), dear, back, back, recovered)
    found = rules.by_domain(told)
    assert list(found) == ["DESO", "PHAR", "OPTI"]
    assert (found["DESO"].amounts, found["DESO"].deduction_cents) == (Amounts(0, 0, -200, 200, 0), 200)
    assert (found["PHAR"].amounts.spent_cents, found["PHAR"].amounts.base_cents) == (MAX_CENTS, 2000)
    assert found["OPTI"].amounts.other_cents == MIN_CENTS


def test_what_a_newer_fact_replaces_and_what_comes_too_late_is_superseded() -> None:
    first, newer, late = event(paid("R-1"), 2, "first"), event(paid("R-1"), 3, "newer"), event(paid("R-1"), 1, "late")
    again, other = event(reversed_("V-1", "R-1"), 4, "taken back"), event(reversed_("V-2", "R-1"), 5, "again")
    folded = rules.fold({}, [first, newer, late, newer, again, other])
    assert [one.id for one in folded.superseded] == ["first", "late"]
    assert {one.claim for one in folded.superseded} == {key(MEMBER, "R-1")}
    assert folded.payments == {(MEMBER, "P-1")}


def test_periods_of_coverage_live_side_by_side_and_a_correction_replaces_its_own() -> None:
    renewed, corrected = examples.coverage("C-1", 2027), examples.coverage("C-1", 2027, csr="02")
    member = member_after(
        [
            event(enrolled(), 1),
            event(examples.coverage_changed(renewed), 2),
            event(examples.coverage_changed(corrected), 3),
        ]
    )
    assert {period: fact.value.csr for period, fact in member.coverages.items()} == {
        ("C-1", "2026-01-01"): "01",
        ("C-1", "2027-01-01"): "02",
    }


def test_absent_means_unchanged_and_null_means_removed() -> None:
    member = member_after([event(enrolled(), 1), event(examples.updated(title=None), 2)])
    assert member.facts["title"].value is None
    assert member.facts["last_name"].value == "Dupont"


def test_nirs_are_sealed_each_for_its_place() -> None:
    member = member_after([event(enrolled(), 1)])
    assert member.facts["nir"].value == f"sealed({examples.NIR}, members/{MEMBER}/nir)"
    child = member.facts["beneficiaries"].value[1]
    assert child["nir"] == f"sealed({examples.CHILDS_NIR}, members/{MEMBER}/beneficiaries/2/nir)"


def test_enrolling_anew_ends_the_end_of_an_earlier_membership() -> None:
    over = event(examples.ended(date(2025, 12, 31)), 1)
    again = event(enrolled(), 2)
    assert member_after([over, again]).facts["ended_on"].value is None
    assert member_after([again, over]).facts["ended_on"].value is None
