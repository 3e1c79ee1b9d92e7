"""The simulated internal systems keep to the contracts and repeat themselves."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from deploy.simulator import claims, demo, enrolled, history, population
from deploy.simulator.chance import ANCHOR
from deploy.simulator.people import age, renewals
from shared import nir
from shared.events.base import Event, EventData
from shared.events.claims_payment import ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed
from shared.events.record import parse, to_message
from tests.shared.events.examples import golden, received

MEMBERS = population(7, 120)
FLOW = list(islice(claims(7, MEMBERS), 2500))
PAID = [event.data for event in FLOW if isinstance(event.data, ClaimPaid)]


def as_bytes(events: Sequence[Event[EventData]]) -> list[object]:
    return [to_message(event) for event in events]


def test_every_event_is_read_back_through_the_contracts() -> None:
    events = [*enrolled(MEMBERS), *renewals(MEMBERS[:3], today=date(2028, 3, 1)), *FLOW, *history(7, MEMBERS[:10])]

    for event in events:
        assert parse(received(to_message(event)), now=ANCHOR + timedelta(days=1000)) == event


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    again = population(7, 120)

    assert as_bytes(list(enrolled(again))) == as_bytes(list(enrolled(MEMBERS)))
    assert as_bytes(list(islice(claims(7, again), 500))) == as_bytes(FLOW[:500])
    assert as_bytes(list(history(7, again[:5]))) == as_bytes(list(history(7, MEMBERS[:5])))
    assert population(8, 120)[1:] != MEMBERS[1:]
    assert as_bytes(list(islice(claims(8, MEMBERS), 50))) != as_bytes(FLOW[:50])


def test_a_flow_that_starts_later_has_ids_of_its_own() -> None:
    later = list(islice(claims(7, MEMBERS, start=ANCHOR + timedelta(seconds=1)), 500))

    assert not {event.id for event in later} & {event.id for event in FLOW}
    assert not {event.data.claim_id for event in later} & {event.data.claim_id for event in FLOW}


def test_a_larger_population_begins_with_the_smaller() -> None:
    assert population(7, 10) == MEMBERS[:10]


def test_the_first_member_is_laure_dupont_of_the_contracts() -> None:
    laure, example = MEMBERS[0], golden("MemberEnrolled")["data"]

    assert laure.nir == "2840575117001"
    for field in ("member_number", "title", "first_name", "last_name", "email", "postal_address"):
        assert laure.model_dump(mode="json")[field] == example[field]
    assert [person.first_name for person in laure.beneficiaries] == ["Laure", "Hugo"]
    assert population(99, 1) == [laure]


def test_member_numbers_and_nirs_are_each_a_members_own() -> None:
    many = population(1, 500)

    assert len({member.member_number for member in many}) == 500
    assert len({member.nir for member in many}) == 500


def test_a_nir_tells_the_sex_and_birth_of_its_bearer() -> None:
    for member in MEMBERS:
        assert nir.normalise(member.nir + nir.key(member.nir)) == member.nir
        assert (member.title == "MME") == member.nir.startswith("2")
        assert member.nir[1:5] == f"{member.birth_date:%y%m}"
    assert any(member.nir[5:7] in ("2A", "2B") for member in MEMBERS)
    assert any(member.nir[5:7] == "99" for member in MEMBERS)


def test_families_are_plausible() -> None:
    sizes = Counter(len(member.beneficiaries) for member in MEMBERS)

    assert {1, 2, 3, 4} <= set(sizes)
    for member in MEMBERS:
        assert [person.rank for person in member.beneficiaries] == list(range(1, len(member.beneficiaries) + 1))
        for person in member.beneficiaries:
            adult = person.relation != "child"
            assert (0 if not adult else 18) <= age(person.birth_date, ANCHOR.date()) <= (100 if adult else 22)


def test_the_card_has_the_twelve_domains_and_the_footnotes_of_the_guide() -> None:
    coverage = MEMBERS[3].coverage

    assert [(cell.domain, cell.operator, cell.level) for cell in coverage.guarantees] == [
        ("PHAR", "SP", "100/100/100"),
        ("MED", "SP", "100%"),
        ("RLAX", "SP", "100%"),
        ("SAGE", "SP", "100%"),
        ("EXTE", "IS", "100%"),
        ("CSTE", "SP", "100%"),
        ("HOSP", "OC", "(1)"),
        ("OPTI", "SP/OC", "(1)"),
        ("DESO", "OC", "(2)"),
        ("DEPR", "OC", "(1)"),
        ("AUDI", "OC", "(1)"),
        ("DIV", "OC", "(2)"),
    ]
    assert coverage.footnotes == {"1": "Prise en charge sur demande", "2": "Selon devis"}


def test_sums_are_right_and_nobody_is_paid_more_than_was_spent() -> None:
    for claim in PAID:
        assert claim.amount_cents == sum(line.complementary_cents for line in claim.lines)
        for line in claim.lines:
            assert line.left_to_pay_cents >= 0
            assert line.base_cents <= line.spent_cents
            assert line.care_date <= claim.payment.paid_on


def test_a_consultation_is_paid_as_in_life() -> None:
    own = [claim for claim in PAID if claim.payment.payee == "member"]
    visits = [line for claim in own for line in claim.lines if line.act_code == "GS"]
    paid = {(one.left_to_pay_cents, one.spent_cents, one.statutory_cents, one.complementary_cents) for one in visits}

    assert paid == {(200, 3000, 1900, 900), (0, 3000, 2100, 900)}, "adults and minors"


def test_100_percent_sante_leaves_nothing_to_pay() -> None:
    lines = [line for claim in PAID for line in claim.lines if "100 % santé" in line.act_label]

    assert {line.domain for line in lines} == {"OPTI", "DEPR", "AUDI"}
    assert {line.left_to_pay_cents for line in lines} == {0}


def test_the_flow_has_all_that_happens_in_life() -> None:
    kinds = Counter(type(event.data) for event in FLOW)
    payees = Counter(claim.payment.payee for claim in PAID)

    assert kinds[ClaimPaid] > 0.7 * len(FLOW)
    assert kinds[ClaimReceived] > 0.05 * len(FLOW)
    assert kinds[ClaimRefused] > 0.01 * len(FLOW)
    assert kinds[ClaimReversed] > 0.005 * len(FLOW)
    assert min(payees["member"], payees["provider"]) > 0.2 * len(PAID)
    assert {line.domain for claim in PAID for line in claim.lines} == {
        cell.domain for cell in MEMBERS[0].coverage.guarantees
    }


def test_what_third_party_payment_could_not_keep_back_is_recovered_later() -> None:
    recovered = [
        (line, claim) for claim in PAID for line in claim.lines if line.spent_cents == 0 and line.statutory_cents < 0
    ]

    assert len(recovered) > 50
    for line, claim in recovered:
        assert claim.payment.payee == "member"
        assert line.complementary_cents == 0
        assert line.care_date < claim.lines[0].care_date
        assert line.act_code in ("PFT", "FRM", "FRA", "FRT")


def test_a_payment_may_carry_several_claims_of_a_member_and_claims_of_several_members() -> None:
    per_member = Counter((claim.payment.payment_id, claim.member_number) for claim in PAID)
    members_of = {
        payment: {claim.member_number for claim in PAID if claim.payment.payment_id == payment}
        for payment in {claim.payment.payment_id for claim in PAID if claim.payment.payee == "provider"}
    }

    assert max(per_member.values()) > 1
    assert max(len(members) for members in members_of.values()) > 1
    for claim in PAID:
        assert (claim.payment.payee_name is None) == (claim.payment.payee == "member")


def test_a_payment_has_one_day_and_one_payee() -> None:
    payments = {claim.payment.payment_id: claim.payment for claim in PAID}

    assert all(claim.payment == payments[claim.payment.payment_id] for claim in PAID)


@pytest.mark.parametrize("events", [FLOW, history(7, MEMBERS[:40])], ids=["flow", "history"])
def test_a_claims_life_is_in_order(events: list[Event[EventData]]) -> None:
    seen: dict[str, list[str]] = {}
    for event in events:
        assert isinstance(event.data, ClaimPaid | ClaimReceived | ClaimRefused | ClaimReversed)
        if isinstance(event.data, ClaimReversed):
            assert seen[event.data.reverses][-1] == "ClaimPaid"
        seen.setdefault(event.data.claim_id, []).append(event.type)

    lives = {tuple(life) for life in seen.values()}
    assert lives - {("ClaimReceived",), ("ClaimReceived", "ClaimRefused")} == {
        ("ClaimPaid",),
        ("ClaimReceived", "ClaimPaid"),
        ("ClaimReceived", "ClaimRefused", "ClaimPaid"),
        ("ClaimReversed",),
    }


def test_a_reversal_takes_back_the_whole_amount_once() -> None:
    amounts = {claim.claim_id: claim.amount_cents for claim in PAID}
    reversals = [event.data for event in FLOW if isinstance(event.data, ClaimReversed)]

    assert [amounts[reversal.reverses] for reversal in reversals] == [-reversal.amount_cents for reversal in reversals]
    assert len({reversal.reverses for reversal in reversals}) == len(reversals)


def test_dates_are_never_in_the_future() -> None:
    for claim in PAID:
        assert claim.payment.paid_on <= ANCHOR.date()
    for event in FLOW:
        assert ANCHOR <= event.time <= ANCHOR + timedelta(milliseconds=len(FLOW))


def test_the_demo_is_the_same_each_time_and_each_year_adds_a_coverage() -> None:
    first, again = demo.events(today=date(2026, 11, 23)), demo.events(today=date(2026, 12, 31))
    later = demo.events(today=date(2028, 1, 1))

    assert as_bytes(first) == as_bytes(again)
    assert set(as_bytes(first)) < set(as_bytes(later))
    assert len(later) == len(first) + 2 * demo.MEMBERS
    assert len({event.id for event in later}) == len(later)


def test_the_demo_is_a_year_of_a_few_members() -> None:
    events = demo.events(today=date(2026, 11, 23))
    claims_of = Counter(event.data.member_number for event in events if event.data.topic == "claims.v1")

    assert set(claims_of) == {member.member_number for member in population(demo.SEED, demo.MEMBERS)}
    assert min(claims_of.values()) >= 12
    assert max(event.time for event in events) <= ANCHOR
    assert min(event.time for event in events if event.data.topic == "claims.v1") < datetime(2026, 2, 1, tzinfo=UTC)
