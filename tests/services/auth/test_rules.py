"""The pure rules of accounts, one sentence a test."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from services.auth import rules
from services.auth.models import Account, PendingIdentifier, TemporaryPassword
from services.auth.passwords import HashedPassword, canonical_temporary, generate_temporary
from services.auth.rules import Identifier, RefreshStep
from shared.formats import masked_email

Told = tuple[dict[str, JsonValue], str]

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PENDING = PendingIdentifier(request_id="r", email="sealed", email_key="k", consents={})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("  Laure.Dupont@Example.ORG ", Identifier("email", "laure.dupont@example.org")),
        ("laure@exämple.org", Identifier("email", "laure@xn--exmple-cua.org")),
        ("12345678", Identifier("member_number", "12345678")),
        ("1234 5678", Identifier("member_number", "12345678")),
        ("2 84 05 75 117 001", Identifier("nir", "2840575117001")),
        ("284052a321025", Identifier("nir", "284052A321025")),
        ("284057511700128", Identifier("nir", "2840575117001")),
        ("2 84 05 2a 321 025 52", Identifier("nir", "284052A321025")),
        ("284057511700129", Identifier(None, "284057511700129")),
        ("2841375117001", Identifier(None, "2841375117001")),
        ("123", Identifier(None, "123")),
        ("", Identifier(None, "")),
    ],
    ids=[
        "e-mail",
        "idn",
        "number",
        "number spaced",
        "nir spaced",
        "nir 2a",
        "nir with key",
        "nir 2a with key",
        "nir with wrong key",
        "month 13",
        "short",
        "empty",
    ],
)
def test_an_identifier_is_recognised_by_its_form(typed: str, meant: Identifier) -> None:
    assert rules.recognise(typed) == meant


@given(st.text(max_size=300))
def test_any_text_is_an_identifier_of_some_kind(typed: str) -> None:
    assert rules.recognise(typed) == rules.recognise(typed)


@pytest.mark.parametrize("address", ["a@example.org", "a.b+c@mail.example.fr", "o'neil@example.org"])
def test_an_address_that_can_be_mailed_to_is_taken(address: str) -> None:
    assert rules.is_email(rules.normalise_email(address))


@pytest.mark.parametrize(
    "address",
    ["a", "a@", "@b.fr", "a@b", "a b@c.fr", "a@b..fr", "a@-b.fr", "a\n@b.fr", "a@b.fr\r\nBcc: c@d.fr", ".a@b.fr",
     "é@b.fr", "a" * 65 + "@b.fr", "a@" + "b" * 64 + ".fr", "a@" + "b." * 130 + "fr"],
)  # fmt: skip
def test_an_address_that_cannot_be_mailed_to_is_refused(address: str) -> None:
    assert not rules.is_email(rules.normalise_email(address))


def test_a_masked_address_shows_one_letter_and_the_domain() -> None:
    assert masked_email("laure.dupont@example.org") == "l***@example.org"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_failures_are_counted_per_network(address: str, network: str) -> None:
    assert rules.network_of(address) == network


def test_a_new_member_chooses_an_identifier_and_a_password() -> None:
    assert rules.required_actions(_account(), "temporary") == ["choose_identifier", "choose_password"]


def test_after_the_choice_of_an_address_only_its_confirmation_is_missing() -> None:
    assert rules.required_actions(_account(pending=PENDING), "own") == ["confirm_identifier"]


def test_a_member_with_an_own_password_and_no_identifier_chooses_that_alone() -> None:
    assert rules.required_actions(_account(), "own") == ["choose_identifier"]


def test_a_temporary_password_of_a_member_who_has_chosen_asks_for_a_password_alone() -> None:
    assert rules.required_actions(_account(identifier_chosen=True), "temporary") == ["choose_password"]


def test_nothing_is_asked_of_a_member_who_has_both() -> None:
    assert rules.required_actions(_account(identifier_chosen=True), "own") == []


def test_facts_end_alike_in_any_order_of_arrival_and_with_repeats() -> None:
    first: Told = ({"first_name": "Laure", "last_name": "Dupont"}, rules.order_of(NOW, "a"))
    same_instant: Told = ({"last_name": "Durand"}, rules.order_of(NOW, "b"))
    later: Told = ({"first_name": "Laura", "title": None}, rules.order_of(NOW + timedelta(milliseconds=1), "0"))
    ends = []
    for order in permutations([first, same_instant, later, first]):
        account = _account()
        for told, when in order:
            account = rules.with_facts(account, told, when)
        ends.append({name: fact.value for name, fact in account.facts.items()})
    assert all(end == {"first_name": "Laura", "last_name": "Durand", "title": None} for end in ends)


@pytest.mark.parametrize(
    ("presented", "used", "seconds_since_used", "step"),
    [
        (0, -1, 0, RefreshStep.ADVANCE),  # the first one, for the first time
        (0, 0, 3600, RefreshStep.REPEAT),  # the answer was lost
        (1, 0, 0, RefreshStep.ADVANCE),
        (0, 1, 10, RefreshStep.REPEAT),  # ten seconds after its successor's first use
        (0, 1, 10.001, RefreshStep.CLOSE),
        (0, 2, 0, RefreshStep.CLOSE),  # older than the previous one
        (5, 2, 0, RefreshStep.CLOSE),  # never issued
    ],
)
def test_a_refresh_token_lives_until_its_successor_is_used_and_ten_seconds_more(
    presented: int, used: int, seconds_since_used: float, step: RefreshStep
) -> None:
    now = NOW + timedelta(seconds=seconds_since_used)
    assert rules.refresh_step(presented, used, NOW, now) is step


def test_the_form_of_a_typed_password_says_which_hash_it_is_compared_with() -> None:
    printed = generate_temporary()
    account = _account(own_password="O", temporary_passwords=[_temporary("T", printed[0])])
    assert rules.password_slot(account, "my own words", NOW) == ("own", "O", "my own words")
    assert rules.password_slot(account, printed, NOW) == ("temporary", "T", canonical_temporary(printed))
    assert rules.password_slot(account, printed, NOW + timedelta(days=30))[1] is None
    assert rules.password_slot(None, printed, NOW)[1] is None


def test_of_several_temporary_passwords_the_first_character_tells_which_one_was_typed() -> None:
    printed = generate_temporary()
    other = "A" if printed[0] != "A" else "C"
    account = _account(temporary_passwords=[_temporary("other", other), _temporary("T", printed[0])])
    assert rules.password_slot(account, printed.lower(), NOW)[1] == "T"
    account = _account(temporary_passwords=[_temporary("other", other)])
    assert rules.password_slot(account, printed, NOW)[1] is None


def test_a_sign_in_with_a_newer_temporary_password_ends_the_older_ones() -> None:
    account = _account(own_password="O", temporary_passwords=[_temporary(name, name) for name in "ACD"])
    for used, left in (("A", "ACD"), ("C", "CD"), ("D", "D"), ("O", "ACD")):
        after = rules.signed_in_with(account, used)
        assert "".join(known.hash for known in after.temporary_passwords) == left
        assert after.own_password == "O"


def test_an_own_password_ends_every_temporary_one_and_is_counted() -> None:
    new = HashedPassword("O", short=False)
    account = rules.with_own_password(_account(temporary_passwords=[_temporary("T", "A")]), new)
    assert (account.own_password, account.temporary_passwords, account.passwords_set) == ("O", [], 1)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2 84 05 75 117 001 28", Identifier("nir", "2840575117001")),
        ("284052a32102552", Identifier("nir", "284052A321025")),
        ("284057511700129", Identifier(None, "284057511700129")),
        ("2840575117001", Identifier(None, "2840575117001")),
        ("rien", Identifier(None, "RIEN")),
    ],
    ids=["spaced", "2a", "wrong key", "without key", "no number"],
)
def test_the_nir_of_a_reset_carries_its_key(typed: str, meant: Identifier) -> None:
    assert rules.nir_with_key(typed) == meant


def test_something_is_too_soon_until_the_pause_is_over() -> None:
    pause = timedelta(minutes=5)
    assert not rules.is_too_soon(None, pause, NOW)
    assert rules.is_too_soon(NOW, pause, NOW + timedelta(minutes=4, seconds=59))
    assert not rules.is_too_soon(NOW, pause, NOW + pause)


@pytest.mark.parametrize(
    ("minutes_ago", "wait_min"),
    [([], None), ([50, 20], None), ([50, 20, 10], 10), ([90, 50, 20, 10], 10), ([61, 20, 10], None),
     ([300, 200, 150, 100, 90], 1140), ([1440, 200, 150, 100, 90], None), ([1430, 200, 50, 20, 10], 10),
     ([1390, 200, 50, 20, 1], 50), ([1395, 59, 58, 57, 56], 45), ([1200, 59, 58, 57, 56], 240)],
)  # fmt: skip
def test_mails_are_limited_in_an_hour_and_in_a_day(minutes_ago: list[int], wait_min: int | None) -> None:
    limits = [(timedelta(hours=1), 3), (timedelta(days=1), 5)]
    mailed = [NOW - timedelta(minutes=ago) for ago in minutes_ago]
    wait = rules.wait_for_mail(mailed, limits, NOW)
    assert wait == (None if wait_min is None else timedelta(minutes=wait_min))


@pytest.mark.parametrize("milliseconds", [0, 1, 999])
def test_all_sessions_end_at_a_whole_second_after_every_token_signed_so_far(milliseconds: int) -> None:
    now = NOW + timedelta(milliseconds=milliseconds)
    assert rules.all_before(now) == NOW + timedelta(seconds=1)


def test_personal_data_are_names_dates_addresses_and_the_member_number() -> None:
    account = rules.with_facts(_account(), {"first_name": "Laure", "birth_date": "1984-05-12"}, "1")
    data = rules.personal_data(account, "ldupont@example.org")
    assert {"Laure", "12051984", "19840512", "120584", "12345678", "ldupont", "example"} <= set(data)


def _temporary(hashed: str, first: str) -> TemporaryPassword:
    return TemporaryPassword(first=first, hash=hashed, issued_at=NOW, expires_at=NOW + timedelta(days=30))


def _account(**fields: object) -> Account:
    return Account.model_validate({"member_number": "12345678", **fields})


@pytest.mark.parametrize(("minutes", "told"), [((), True), ((1, 2), True), ((1, 2, 3), False), ((1, 2, 24 * 60), True)])
def test_three_blocks_in_a_day_are_told_of(minutes: tuple[int, ...], *, told: bool) -> None:
    before = [NOW - timedelta(minutes=count) for count in minutes]
    account = rules.lock_told(Account(member_number="12345678", locks_told_at=before), NOW)
    assert (account is not None) is told
    if account:
        assert account.locks_told_at[-1] == NOW
        assert len(account.locks_told_at) <= 3
