"""Temporary passwords, hashing."""

import asyncio
import string
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from services.auth import passwords
from services.auth.passwords import Passwords, canonical_temporary, generate_temporary
from shared.errors import Unavailable


def test_a_temporary_password_is_four_groups_of_characters_that_paper_does_not_confuse() -> None:
    printed = generate_temporary()
    groups = printed.split("-")
    assert [len(group) for group in groups] == [4, 4, 4, 4]
    assert not set("0O1IL2Z5S8BV") & set(printed)


def test_a_temporary_password_holds_sixty_bits_and_never_comes_twice() -> None:
    assert len(passwords.ALPHABET) ** passwords.RANDOM_CHARACTERS > 2**60
    assert len({generate_temporary() for _ in range(1000)}) == 1000


def test_a_temporary_password_may_be_typed_in_any_case_with_or_without_hyphens() -> None:
    printed = generate_temporary()
    typed = [printed, printed.lower(), printed.replace("-", ""), printed.replace("-", " "), printed.replace("-", "–")]
    assert {canonical_temporary(text) for text in typed} == {printed.replace("-", "")}


def test_a_slip_in_a_temporary_password_is_not_one_of_that_form() -> None:
    printed = generate_temporary().replace("-", "")
    slips = [printed[:i] + ("C" if printed[i] == "A" else "A") + printed[i + 1 :] for i in range(len(printed))]
    slips = [slip for slip in slips if slip != printed]
    assert sum(canonical_temporary(slip) is not None for slip in slips) <= 3  # one in 576 each


@given(st.text(alphabet=string.printable, max_size=40))
def test_what_people_type_is_hardly_ever_of_the_form_of_a_temporary_password(text: str) -> None:
    canonical = canonical_temporary(text)
    assert canonical is None or len(canonical) == 16


@pytest.fixture(name="hasher")
async def _hasher() -> AsyncIterator[Passwords]:
    hasher = Passwords(memory_kib=64, passes=1, lanes=1, threads=1, max_waiting=1)
    yield hasher
    await hasher.stop()


async def test_a_password_is_recognised_however_its_accents_are_composed(hasher: Passwords) -> None:
    stored = await hasher.hash("cafe\u0301 au lait noir")
    assert await hasher.verify(stored, "caf\u00e9 au lait noir")
    assert not await hasher.verify(stored, "cafe au lait noir")
    assert stored.startswith("$argon2id$")


async def test_full_width_letters_are_the_same_password_and_look_alikes_of_other_alphabets_are_not(
    hasher: Passwords,
) -> None:
    stored = await hasher.hash("quatre chevaux")
    assert await hasher.verify(stored, "\uff51uatre\u3000chevaux")
    assert not await hasher.verify(stored, "qu\u0430tre chevaux")  # a Cyrillic a


async def test_nothing_is_cut_off_at_a_null_byte(hasher: Passwords) -> None:
    stored = await hasher.hash("quatre chevaux\0verts")
    assert await hasher.verify(stored, "quatre chevaux\0verts")
    for other in ("quatre chevaux", "quatre chevaux\0", "quatre chevaux\0rouges"):
        assert not await hasher.verify(stored, other)


async def test_without_a_stored_password_nothing_is_right(hasher: Passwords) -> None:
    assert not await hasher.verify(None, "anything")


async def test_without_a_stored_password_a_hash_of_the_same_cost_is_made(
    hasher: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def seen(library: PasswordHasher, stored: str, password: str) -> bool:
        compared.append(stored)
        return verify(library, stored, password)

    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", seen)
    stored = await hasher.hash("quatre chevaux")
    assert not await hasher.verify(stored, "another")
    assert not await hasher.verify(None, "another")
    known, unknown = (extract_parameters(hashed) for hashed in compared)
    assert known == unknown


async def test_a_hash_of_other_parameters_is_known_to_be_outdated(hasher: Passwords) -> None:
    other = Passwords(memory_kib=128, passes=1, lanes=1, threads=1, max_waiting=1)
    assert hasher.is_outdated(await other.hash("quatre chevaux"))
    assert not hasher.is_outdated(await hasher.hash("quatre chevaux"))
    await other.stop()


async def test_hashing_beyond_its_queue_is_refused_for_a_moment() -> None:
    hasher = Passwords(memory_kib=19_456, passes=2, lanes=1, threads=1, max_waiting=1)
    results = await asyncio.gather(*(hasher.hash("quatre chevaux") for _ in range(5)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert len(refused) == 3
    assert refused[0].retry_after_s == 1
    assert await hasher.verify(await hasher.hash("again"), "again")
    await hasher.stop()


async def test_the_background_hash_is_the_same_kind_of_hash(hasher: Passwords) -> None:
    canonical = canonical_temporary(generate_temporary()) or ""
    assert await hasher.verify(await hasher.hash_in_background(canonical), canonical)
