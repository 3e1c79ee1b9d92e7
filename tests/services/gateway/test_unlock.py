"""Who this browser is known to, and the page behind the mail of a block. auth is what each test says."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.known_devices import KnownDevices
from services.gateway.pages.sign_in_page import Block
from tests.services.gateway.running import Answer, Gateway, Seen, say
from tests.services.gateway.test_pages import form, post

TOKEN = "once-and-never-again"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def _signed_in(member: str, device_token: str) -> dict[str, object]:
    """auth's answer when that member signs in."""
    claims = urlsafe_b64encode(json.dumps({"sub": member}).encode()).decode().rstrip("=")
    return {
        "access_token": f"a.{claims}.c",
        "refresh_token": "r",
        "expires_in": 300,
        "device_token": device_token,
        "required_actions": [],
    }


def _auth(*answers: tuple[str, dict[str, object]]) -> tuple[Answer, list[Seen]]:
    """auth that gives these answers, one after the other; and what it was asked."""
    asked: list[Seen] = []

    async def give(seen: Seen, writer: asyncio.StreamWriter) -> None:
        status, body = answers[len(asked)]
        asked.append(seen)
        await say(writer, status, json.dumps(body).encode(), "Content-Type: application/json")

    return give, asked


def _shown(asked: Sequence[Seen]) -> list[list[str]]:
    return [json.loads(seen.body)["device_tokens"] for seen in asked if seen.target.endswith("/session")]


def _signs_in(csrf: str) -> dict[str, str]:
    return {"csrf": csrf, "identifiant": "12345678", "mot_de_passe": "secret"}


@pytest.mark.servers
async def test_the_browser_shows_who_it_is_known_to_newest_first_and_an_unlock_joins_them(gateway: Gateway) -> None:
    unlocked: dict[str, object] = {"device_token": "by the mail"}
    answers, asked = _auth(
        ("200 OK", _signed_in("11111111", "one")),
        ("200 OK", _signed_in("22222222", "two")),
        ("200 OK", unlocked),
        ("200 OK", _signed_in("11111111", "by the mail")),
        ("200 OK", _signed_in("11111111", "by the mail")),
    )
    async with gateway.origin("auth", answers):
        cookie, csrf = await form(gateway)
        device = ""
        for path in ("/", "/", "/deblocage", "/", "/"):
            headers = f"Cookie: {cookie}{device}"
            if path == "/deblocage":
                _, held, _ = await gateway.raw(f"GET /deblocage?token={TOKEN} HTTP/1.1\nHost: portal")
                headers += "; " + next(value for name, value in held if name == "set-cookie").split(";")[0]
            status, cookies, _ = await post(gateway, _signs_in(csrf), headers, path=path)
            assert (status, len(cookies["device"].value) > 100) == (303, True)
            assert "one" not in cookies["device"].value
            device = f"; device={cookies['device'].value}"
    assert _shown(asked) == [[], ["one"], ["by the mail", "two", "one"], ["by the mail", "two"]]
    assert (asked[2].target, json.loads(asked[2].body)) == ("/api/v1/unlocks", {"token": TOKEN})


@pytest.mark.servers
@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("409 Conflict", "link_used", "Ce lien a déjà servi"),
        ("410 Gone", "link_expired", "Ce lien n’est plus valable"),
    ],
)
async def test_opening_the_link_unlocks_nothing_and_one_that_is_over_says_so(
    gateway: Gateway, status: str, code: str, said: str
) -> None:
    answers, asked = _auth((status, {"code": code}))
    async with gateway.origin("auth", answers):
        opened, headers, body = await gateway.raw(f"GET /deblocage?token={TOKEN} HTTP/1.1\nHost: portal")
        assert (opened, dict(headers)["location"], body) == (303, "/deblocage", b"")
        link = dict(headers)["set-cookie"]
        assert TOKEN not in link
        assert link.startswith("unlock_link=")  # beside that of a lost password
        cookie, csrf = await form(gateway)
        cookie = f"{cookie}; {link.split(';')[0]}"
        _, _, page = await gateway.raw(f"GET /deblocage HTTP/1.1\nHost: portal\nCookie: {cookie}")
        assert ("Débloquer mon accès" in page.decode(), TOKEN in page.decode(), asked) == (True, False, [])
        answered, cookies, page = await post(gateway, {"csrf": csrf}, f"Cookie: {cookie}", path="/deblocage")
    assert (str(answered), said in page.decode()) == (status[:3], True)
    assert cookies["unlock_link"]["max-age"] == "0"
    assert "device" not in cookies


@pytest.mark.servers
async def test_without_a_link_there_is_no_button(gateway: Gateway) -> None:
    status, _, page = await gateway.raw("GET /deblocage HTTP/1.1\nHost: portal\nCookie: unlock_link=rubbish")
    assert (status, "Ce lien n’est plus valable" in page.decode()) == (410, True)
    cookie, csrf = await form(gateway)
    status, _, page = await post(gateway, {"csrf": csrf}, f"Cookie: {cookie}", path="/deblocage")
    assert (status, "Ce lien n’est plus valable" in page.decode()) == (410, True)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ("880", ["attendre encore 15 minutes, puis", "limitées à 2 et bloquées ensuite pendant 15 minutes"]),
        ("30", ["attendre encore 1 minute, puis"]),
        ("86400", ["attendre encore 24 heures, puis", "bloquée jusqu’au", "il y en a eu trop en 24 heures"]),
    ],
)
async def test_a_block_says_how_long_it_lasts_and_what_else_can_be_done(
    gateway: Gateway, seconds: str, said: list[str]
) -> None:
    async def blocked(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        body = b'{"code": "sign_in_blocked", "attempts_left": 0}'
        await say(writer, "429 Too Many", body, "Content-Type: application/problem+json", f"Retry-After: {seconds}")

    async with gateway.origin("auth", blocked):
        cookie, csrf = await form(gateway)
        status, _, page = await post(gateway, _signs_in(csrf), f"Cookie: {cookie}")
    text = page.decode()
    assert status == 429
    for words in [*said, "si votre adresse mail est confirmée", '<a href="/mot-de-passe-perdu">', '<a href="tel:']:
        assert words in text
    assert ("mot de passe reçu par courrier, vous connecter avec celui-ci" in text) is (seconds == "86400")


def test_five_members_have_a_place_each_and_the_one_unseen_longest_goes() -> None:
    known = KnownDevices()
    for number in range(7):
        known = known.joined_by(f"token {number}", f"member {number}")
    assert known.tokens == [f"token {number}" for number in (6, 5, 4, 3, 2)]
    again = known.joined_by("token 3", "member 3")
    assert again.tokens == [f"token {number}" for number in (3, 6, 5, 4, 2)]
    assert again.joined_by("another", "member 3").tokens == ["another"] + [f"token {n}" for n in (6, 5, 4, 2)]
    unlocked = again.joined_by("by the mail", None)
    assert unlocked.tokens[:2] == ["by the mail", "token 3"]
    assert unlocked.joined_by("by the mail", "member 3").tokens == ["by the mail"] + [f"token {n}" for n in (6, 5, 4)]


@pytest.mark.parametrize("text", [None, "", "a token of an earlier release", "[]", '{"known_to": 1}'])
def test_a_cookie_of_no_known_form_is_none(text: str | None) -> None:
    assert KnownDevices.read(text).tokens == []
    one = KnownDevices().joined_by("token", None)
    assert KnownDevices.read(one.model_dump_json()) == one


@pytest.mark.parametrize(
    ("lasts", "minutes", "hours"),
    [
        (timedelta(seconds=1), 1, 0),
        (timedelta(minutes=15), 15, 0),
        (timedelta(minutes=90), 90, 0),
        (timedelta(minutes=91), 91, 2),
        (timedelta(hours=24), 1440, 24),
    ],
)
def test_what_is_left_of_a_block_is_rounded_up(lasts: timedelta, minutes: int, hours: int) -> None:
    block = Block(NOW + lasts, NOW)
    assert (block.minutes, block.hours) == (minutes, hours)
