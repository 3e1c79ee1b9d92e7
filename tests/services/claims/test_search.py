"""Words as a search compares them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims.search import MAX_WORD_CHARACTERS, MAX_WORDS, found_by, words


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("PHARMACIE  de l’Hôpital", ["pharmacie", "de", "l", "hopital"]),
        ("Cœur, cœur et ŒUVRE", ["coeur", "et", "oeuvre"]),
        ("R-2026-000123", ["r", "2026", "000123"]),
        ("Straße Łódź", ["strasse", "łodz"]),
        ("Ｏｐｔｉｑｕｅ ①", ["optique", "1"]),
        ("snake_case", ["snake", "case"]),
        (" .*$^ \x00", []),
    ],
)
def test_words(text: str, compared: list[str]) -> None:
    assert words(text) == compared


@given(st.text())
def test_a_word_is_compared_with_itself(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)


@given(st.text())
def test_capitals_accents_and_how_they_are_written_make_no_difference(text: str) -> None:
    for other in (unicodedata.normalize("NFD", text), unicodedata.normalize("NFC", text), text.casefold()):
        assert words(other) == words(text)


@given(st.text())
def test_whatever_is_typed_words_are_short_plain_and_different(text: str) -> None:
    found = words(text)
    assert len(set(found)) == len(found)
    assert all(word.isalnum() and len(word) <= MAX_WORD_CHARACTERS for word in found)


def test_a_claim_is_found_by_so_many_words_at_most_the_first_ones() -> None:
    found = found_by(["a0"], [" ".join(f"a{n}" for n in range(1, MAX_WORDS)), "trop"])
    assert (len(found), found[0], found[-1]) == (MAX_WORDS, "a0", f"a{MAX_WORDS - 1}")
