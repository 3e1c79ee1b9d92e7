"""What an own password must be."""

from __future__ import annotations

import pytest

from services.auth.common_passwords import CommonPasswords
from services.auth.password_rules import CODES, PasswordRules, plain
from services.auth.passwords import generate_temporary
from services.gateway.passphrases import Passphrases

COMMON = CommonPasswords.read()
RULES = PasswordRules(min_length=12, common=COMMON, brand="Mutuelle du Goéland 44")

PERSONAL = ["Laure", "Dupont", "12051984", "12345678", "laure.dupont"]


@pytest.mark.parametrize(
    "good",
    [
        "quatre chevaux verts",
        "Brumeux-Galet-97",
        "ciel bleu d'été",
        "n8#vK2!pQz7w",
        "laure aime les chevaux",
        "x" * 40 + "abcd1",
        "lampe-orage-violet-canal",
        "soleil couchant",
        "un papillon bleu 75",
    ],
)
def test_an_own_password_of_twelve_mixed_characters_is_good(good: str) -> None:
    assert RULES.weaknesses(good, personal=PERSONAL) == []


@pytest.mark.parametrize(
    ("weak", "code"),
    [
        ("court", "too_short"),
        ("a1" * 65, "too_long"),
        ("195208273648", "only_digits"),
        ("aaaabbbbcccc", "too_repetitive"),
        ("\ufdfa", "too_short"),  # one sign, 18 characters once it is normalised
        ("x1" * 5000, "too_long"),
        ("MotDePasse2026!", "too_common"),
        ("Azerty123456!", "too_common"),
        ("\uff21zerty123456!", "too_common"),  # a full-width A
        ("++azerty123++", "too_common"),
        ("1q2w3e4r5t6y", "too_common"),
        ("1q2w3e4r!2026", "too_common"),
        ("P@ssw0rd2026", "too_common"),
        ("Abc123452026!", "too_common"),
        ("1234567891011", "too_common"),
        ("123456789!!!!", "too_common"),
        ("motherfucker", "too_common"),
        ("mot-de-passe-75", "too_common"),
        ("75Papillon2026!", "too_common"),
        ("Trustno1Trustno1", "too_common"),
        ("S\u00e9curit\u00e9 Sociale 1", "too_common"),
        ("azertyazerty1", "too_common"),
        ("Plansanté2026", "too_common"),
        ("mutuelle-du-goeland!", "too_common"),  # what the portal is called
        ("MutuelleduGoéland2026", "too_common"),
        ("azertyuiopqs", "too_common"),
        ("abcdefghijkl", "too_common"),
        ("LaureDupont1984", "personal_data"),
        ("dupont12051984", "personal_data"),
        ("12345678laure", "personal_data"),
    ],
)
def test_a_weak_own_password_is_refused_with_its_reason(weak: str, code: str) -> None:
    assert code in RULES.weaknesses(weak, personal=PERSONAL)


def test_an_own_password_never_looks_temporary() -> None:
    assert "looks_temporary" in RULES.weaknesses(generate_temporary(), personal=[])


def test_every_reason_has_a_sentence() -> None:
    errors = RULES.described(CODES, "new_password")
    assert [error.code for error in errors] == list(CODES)
    assert all(error.detail for error in errors)
    assert errors[CODES.index("too_short")].detail == "At least 12 characters."


def test_the_smallest_length_is_a_setting_and_a_parameter() -> None:
    eight = PasswordRules(min_length=8, common=COMMON, brand="")
    assert eight.weaknesses("brumeux7", personal=[]) == []
    assert eight.weaknesses("brumeux", personal=[]) == ["too_short"]
    assert RULES.weaknesses("brumeux7", personal=[]) == ["too_short"]
    assert RULES.weaknesses("brumeux7", personal=[], min_length=8) == []


def test_a_brand_without_latin_letters_refuses_nothing() -> None:
    nameless = PasswordRules(min_length=12, common=COMMON, brand="\u03b1\u03b2\u03b3 44")
    assert nameless.weaknesses("84-27-!?-9053", personal=[]) == []


def test_the_hundred_thousand_most_used_passwords_are_refused_as_they_are_and_decorated() -> None:
    eight = PasswordRules(min_length=8, common=COMMON, brand="")
    assert len(COMMON.most_used) > 96_000
    some = sorted(COMMON.most_used)[::10]
    assert [text for text in some if not eight.weaknesses(text, personal=[])] == []
    words = [text for text in some if any(c.isalpha() for c in text)]
    decorated = (f"{text.capitalize()}{'2026!' if len(text) > 6 else '12345678!'}" for text in words)
    assert [text for text in decorated if not RULES.weaknesses(text, personal=[])] == []


def test_common_passwords_are_written_as_they_are_looked_up() -> None:
    assert {text for text in COMMON.most_used if plain(text) != text} == set()
    assert {text for text in COMMON.french if not (text.isascii() and text.isalpha() and text.islower())} == set()


def test_every_phrase_that_is_offered_is_accepted() -> None:
    phrases = Passphrases.read()
    for _ in range(3000):
        phrase = phrases.draw()
        assert RULES.weaknesses(phrase, personal=PERSONAL) == [], phrase
