"""Wherever a password is chosen: an idea for it, what is asked of it, and why one was refused."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Iterator

import pytest

from services.auth.password_rules import CODES, MAX_LENGTH
from services.gateway.pages.passwords import LONGEST
from services.gateway.passphrases import WORDS, WORDS_FILE, Passphrases
from tests.services.gateway.running import Gateway, Seen, say
from tests.services.gateway.test_pages import form, post

servers = pytest.mark.servers

RESET = "/nouveau-mot-de-passe"
OTHERWISE = "Choisissez un autre mot de passe."


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """One that asks for longer passwords than by default."""
    with Gateway(PASSWORD_MIN_LENGTH="14") as gateway:
        yield gateway


def test_four_words_hold_fifty_bits() -> None:
    words = WORDS_FILE.read_text().split()
    assert len(set(words)) == len(words)
    assert math.log2(math.perm(len(words), WORDS)) > 50
    assert [word for word in words if not re.fullmatch("[a-z]{4,8}", word) or len(set(word)) < 4] == []
    assert words == sorted(words)


def test_a_phrase_is_four_different_words_and_never_comes_twice() -> None:
    phrases = Passphrases.read()
    drawn = [phrases.draw() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert {len(set(phrase.split("-"))) for phrase in drawn} == {WORDS}


def test_the_longest_password_is_the_same_here_and_in_auth() -> None:
    assert LONGEST == MAX_LENGTH


async def _link(gateway: Gateway) -> tuple[str, str]:
    """(cookie header, CSRF token) of a browser that may choose a password by a mailed link."""
    _, headers, _ = await gateway.raw(f"GET {RESET}?token=x HTTP/1.1\nHost: portal")
    link = next(value for name, value in headers if name == "set-cookie").split(";")[0]
    cookie, csrf = await form(gateway)
    return f"Cookie: {link}; {cookie}", csrf


@servers
async def test_each_display_of_the_form_offers_another_phrase_in_plain_text(gateway: Gateway) -> None:
    cookie, _ = await _link(gateway)
    offered = set()
    for _ in range(3):
        _, headers, body = await gateway.raw(f"GET {RESET} HTTP/1.1\nHost: portal\n{cookie}")
        found = re.search(
            r"quatre mots au hasard, par exemple <strong[^>]*>([a-z]+(?:-[a-z]+){3})</strong>", body.decode()
        )
        assert found
        offered.add(found[1])
        assert dict(headers)["cache-control"] == "no-store"
        assert "14 caractères au moins" in body.decode()
    assert len(offered) == 3


@servers
async def test_another_phrase_is_had_by_the_script_and_kept_by_nobody(gateway: Gateway) -> None:
    answers = [await gateway.raw("GET /mot-de-passe/idee HTTP/1.1\nHost: portal") for _ in range(3)]
    assert len({body for _, _, body in answers}) == 3
    for status, headers, body in answers:
        assert (status, dict(headers)["cache-control"]) == (200, "no-store")
        assert dict(headers)["content-type"].startswith("text/plain")
        assert re.fullmatch(rb"[a-z]{4,8}(-[a-z]{4,8}){3}", body)


@servers
async def test_every_reason_of_auth_has_words_of_its_own_beside_the_field(gateway: Gateway) -> None:
    code = ""

    async def refuses(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        problem = {"code": "password_too_weak", "errors": [{"field": "new_password", "code": code, "detail": ""}]}
        await say(writer, "422 Unprocessable Content", json.dumps(problem).encode(), "Content-Type: application/json")

    said = {}
    cookie, csrf = await _link(gateway)
    fields = {"csrf": csrf, "nouveau_mot_de_passe": "quatre mots", "confirmation": "quatre mots"}
    async with gateway.origin("auth", refuses):
        for code in CODES:
            status, _, page = await post(gateway, fields, cookie, path=RESET)
            assert status == 422
            found = re.search(r'id="nouveau_mot_de_passe-erreur">.*?</svg>\s*([^<]+)</p>', page.decode(), re.DOTALL)
            assert found, code
            said[code] = found[1].strip()
    assert len(set(said.values())) == len(CODES)
    assert OTHERWISE not in said.values()
    assert "14 caractères" in said["too_short"]


@servers
@pytest.mark.parametrize("length", [LONGEST + 1, 60_000])
async def test_one_that_is_too_long_is_refused_with_words_before_auth_is_asked(gateway: Gateway, length: int) -> None:
    cookie, csrf = await _link(gateway)
    fields = {"csrf": csrf, "nouveau_mot_de_passe": "x" * length, "confirmation": ""}
    status, _, page = await post(gateway, fields, cookie, path=RESET)  # auth is away
    assert (status, "trop long" in page.decode()) == (422, True)
