"""The rules of notifications: which word wins, in which language, and how an envelope is addressed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from services.notifications import rules
from services.notifications.models import Address, Consents, Fact, Identity, Member, Order
from services.notifications.rules import NoAddress, Preferences

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LYON = Address(lines=("12 rue des Lilas",), postal_code="69003", city="Lyon", country="FR")


def at(hours: int, event: str = "e") -> Order:
    return (NOON + timedelta(hours=hours), event)


def told(member: Member, order: Order, **changes: object) -> Member:
    return rules.told_by_membership(member, changes, order)


def identified(member: Member, order: Order, consents: Consents | None = None) -> Member:
    return rules.told_by_auth(member, Identity(email="l@example.org", activated=True), consents, order)


def person(**facts: object) -> Member:
    return told(rules.UNKNOWN, at(0), title="MME", first_name="Laure", last_name="Dupont-Lefèvre", **facts)


def test_any_order_of_arrival_ends_in_the_same_member() -> None:
    says: list[Callable[[Member], Member]] = [
        lambda m: told(m, at(0), first_name="Laure", last_name="Dupont", language="fr", email="a@example.org"),
        lambda m: told(m, at(1), last_name="Martin", language="en"),
        lambda m: told(m, at(3), last_name=None, language="fr", email="b@example.org"),
        lambda m: identified(m, at(2), Consents(statements=True, management_information=False)),
        lambda m: identified(m, at(4)),
        lambda m: told(m, at(1), last_name="Martin", language="en"),
    ]
    ends = set()
    for order in permutations(says):
        member = rules.UNKNOWN
        for say in order:
            member = say(member)
        ends.add(member.model_dump_json())
    assert len(ends) == 1
    assert member.last_name is not None
    assert member.last_name.value is None
    assert rules.language(member) == "en", "the last word before the first sign-in"
    assert member.consents is not None
    assert member.consents.value.statements


def test_at_the_same_instant_the_larger_event_id_wins() -> None:
    first, second = told(rules.UNKNOWN, at(0, "a"), last_name="A"), told(rules.UNKNOWN, at(0, "b"), last_name="B")
    assert rules.full_name(told(first, at(0, "b"), last_name="B")) == "B"
    assert rules.full_name(told(second, at(0, "a"), last_name="A")) == "B"


def test_after_the_first_sign_in_contract_management_no_longer_decides_the_language() -> None:
    member = identified(told(rules.UNKNOWN, at(0), language="en"), at(1))
    assert rules.language(told(member, at(2), language="fr")) == "en"
    assert rules.language(told(member, at(-1), language="fr")) == "en"


def test_what_the_member_chose_wins_and_what_was_left_out_stays() -> None:
    member = asked(told(rules.UNKNOWN, at(0), language="fr"), at(1), statements=True)
    chosen = rules.told_by_member(member, Preferences("en"), at(2))
    assert (rules.language(chosen), rules.consents(chosen).statements) == ("en", True)
    chosen = rules.told_by_member(chosen, Preferences(consents={"management_information": True}), at(3))
    assert rules.language(chosen) == "en"
    assert rules.consents(chosen) == Consents(statements=True, management_information=True)
    assert rules.consents(asked(chosen, at(1), statements=False)) == rules.consents(chosen), "older news"


@pytest.mark.parametrize(("said", "served"), [("fr", "fr"), ("en", "en"), ("de", "fr"), (None, "fr")])
def test_every_language_but_english_is_served_in_french(said: str | None, served: str) -> None:
    assert rules.language(told(rules.UNKNOWN, at(0), language=said)) == served


def test_an_envelope_is_in_capitals_without_accents_or_punctuation_below_the_name() -> None:
    to = Address(lines=("Chez M. Paul Éluard", "12, rue de l’Église"), postal_code="69003", city="Lyon", country="FR")
    assert rules.envelope_lines(person(), to) == [
        "MME LAURE DUPONT-LEFÈVRE",
        "CHEZ M PAUL ELUARD",
        "12 RUE DE L EGLISE",
        "69003 LYON",
    ]


@pytest.mark.parametrize(("country", "last"), [("FR", "69003 LYON"), ("RE", "69003 LYON"), ("CH", "SUISSE")])
def test_only_a_foreign_address_ends_with_its_country(country: str, last: str) -> None:
    assert rules.envelope_lines(person(), LYON.model_copy(update={"country": country}))[-1] == last


def test_a_removed_address_is_no_address() -> None:
    assert rules.address(told(person(postal_address=LYON), at(1), postal_address=None)) is None
    assert rules.address(told(person(postal_address=LYON), at(-1), postal_address=None)) == LYON


def asked(member: Member, order: Order, *, statements: bool, activated: bool = True) -> Member:
    identity = Identity(email="own@example.org", activated=activated)
    return rules.told_by_auth(member, identity, Consents(statements=statements, management_information=False), order)


def test_a_link_of_power_goes_only_to_an_address_that_the_member_activated() -> None:
    enrolled = person(email="given@example.org")
    assert rules.activated_address(enrolled) is NoAddress.UNKNOWN
    assert rules.activated_address(asked(enrolled, at(1), statements=True, activated=False)) is NoAddress.UNKNOWN
    assert rules.activated_address(asked(enrolled, at(1), statements=False)) == "own@example.org"


def test_the_address_for_mails_without_power_is_the_activated_one_else_the_last_that_was_named() -> None:
    enrolled = person(email="given@example.org")
    assert rules.contact_address(rules.UNKNOWN) is NoAddress.UNKNOWN
    assert rules.contact_address(enrolled) == "given@example.org"
    unproven = asked(enrolled, at(1), statements=True, activated=False)
    assert rules.contact_address(unproven) == "own@example.org"
    assert rules.contact_address(told(unproven, at(2), email="later@example.org")) == "later@example.org"
    assert rules.contact_address(told(unproven, at(2), email=None)) is NoAddress.UNWANTED
    activated = asked(enrolled, at(1), statements=True)
    assert rules.contact_address(told(activated, at(2), email="later@example.org")) == "own@example.org"


def test_statements_are_mailed_to_those_who_asked_and_nobody_knows_before_they_chose() -> None:
    enrolled = person(email="given@example.org")
    assert rules.statements_address(enrolled) is NoAddress.UNKNOWN
    assert rules.statements_address(asked(enrolled, at(1), statements=False)) is NoAddress.UNWANTED
    assert rules.statements_address(asked(enrolled, at(1), statements=True, activated=False)) == "own@example.org"


def test_who_asks_for_statements_is_not_mailed_those_that_were_there_already() -> None:
    member = asked(person(), at(5), statements=True)
    assert rules.statements_address(member, at(4)[0]) is NoAddress.UNWANTED
    assert rules.statements_address(member, at(6)[0]) == "own@example.org"


def test_a_payment_of_long_ago_is_no_news() -> None:
    told_at = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # the 25th in France
    assert rules.is_news(date(2026, 10, 25), told_at)
    assert not rules.is_news(date(2026, 10, 24), told_at)


def test_days_and_hours_are_those_of_france() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert rules.day(late) == "24 novembre 2026"
    assert rules.minute(late) == "0 h 30"
    assert rules.day(late, "en") == "24 November 2026"
    assert rules.minute(late, "en") == "00:30"


def test_a_members_repr_says_nothing_about_the_person() -> None:
    assert "Laure" not in repr(person(postal_address=LYON))
    assert "Lilas" not in repr(Fact(value=LYON, order=at(0)))


def test_a_stable_id_follows_from_source_and_event() -> None:
    assert rules.stable_id("/auth", "1") == rules.stable_id("/auth", "1")
    assert rules.stable_id("/auth", "1") != rules.stable_id("/auth", "2")
    assert "12345678" not in rules.stable_id("/auth", "12345678")
