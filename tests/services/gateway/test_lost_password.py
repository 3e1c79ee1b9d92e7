"""The page behind the mail's link: where its token is, and where it never is. auth is what each test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest

from tests.services.gateway.running import Answer, Gateway, Seen, say
from tests.services.gateway.test_pages import form, post

pytestmark = pytest.mark.servers

TOKEN = "once-and-never-again"
LINK = f"/nouveau-mot-de-passe?token={TOKEN}"
PASSWORDS = {"nouveau_mot_de_passe": "cinq moutons bleus", "confirmation": "cinq moutons bleus"}


@pytest.fixture
def auth() -> Callable[[str, dict[str, object]], tuple[Answer, list[Seen]]]:
    """auth that always answers with that status and body; and what it was asked."""

    def make(status: str, body: dict[str, object]) -> tuple[Answer, list[Seen]]:
        asked: list[Seen] = []

        async def answers(seen: Seen, writer: asyncio.StreamWriter) -> None:
            asked.append(seen)
            await say(writer, status, json.dumps(body).encode(), "Content-Type: application/json")

        return answers, asked

    return make


async def _followed(gateway: Gateway) -> tuple[str, str]:
    """(cookie header, CSRF token) of a browser that opened the mail's link and saw the form."""
    status, headers, body = await gateway.raw(f"GET {LINK} HTTP/1.1\nHost: portal")
    assert (status, dict(headers)["location"], body) == (303, "/nouveau-mot-de-passe", b"")
    link = next(value for name, value in headers if name == "set-cookie")
    assert TOKEN not in link
    assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in link.split(";")}
    cookie = link.split(";")[0]
    _, _, page = await gateway.raw(f"GET /nouveau-mot-de-passe HTTP/1.1\nHost: portal\nCookie: {cookie}")
    text = page.decode()
    assert TOKEN not in text
    assert ("12 caractères au moins" in text, "8 caractères suffisent" in text) == (True, True)  # whoever's link it is
    csrf_cookie, csrf = await form(gateway)
    return f"{cookie}; {csrf_cookie}", csrf


async def test_the_token_leaves_the_address_bar_at_once_and_reaches_auth_by_the_button_only(
    gateway: Gateway, auth: Callable[[str, dict[str, object]], tuple[Answer, list[Seen]]]
) -> None:
    answers, asked = auth("200 OK", {"device_token": "known"})
    async with gateway.origin("auth", answers):
        cookie, csrf = await _followed(gateway)
        assert not asked  # a scanner that opens the link changes nothing
        fields = {"csrf": csrf, **PASSWORDS}
        status, cookies, _ = await post(gateway, fields, f"Cookie: {cookie}", path="/nouveau-mot-de-passe")
    assert status == 303
    assert json.loads(asked[0].body) == {"token": TOKEN, "new_password": PASSWORDS["nouveau_mot_de_passe"]}
    assert asked[0].target == "/api/v1/password-resets/confirmation"
    assert cookies["device"].value
    assert (cookies["link"]["max-age"], cookies["session"]["max-age"]) == ("0", "0")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("409 Conflict", "link_used", "Ce lien a déjà servi"),
        ("410 Gone", "link_expired", "Demander un nouveau lien"),
    ],
)
async def test_a_link_that_is_over_says_what_to_do_and_is_forgotten(
    gateway: Gateway,
    auth: Callable[[str, dict[str, object]], tuple[Answer, list[Seen]]],
    status: str,
    code: str,
    said: str,
) -> None:
    answers, _ = auth(status, {"code": code})
    async with gateway.origin("auth", answers):
        cookie, csrf = await _followed(gateway)
        answered, cookies, page = await post(
            gateway, {"csrf": csrf, **PASSWORDS}, f"Cookie: {cookie}", path="/nouveau-mot-de-passe"
        )
    assert (str(answered), said in page.decode()) == (status[:3], True)
    assert cookies["link"]["max-age"] == "0"
    assert "device" not in cookies


async def test_a_weak_password_keeps_the_link(
    gateway: Gateway, auth: Callable[[str, dict[str, object]], tuple[Answer, list[Seen]]]
) -> None:
    body: dict[str, object] = {
        "code": "password_too_weak",
        "errors": [{"field": "new_password", "code": "too_common", "detail": ""}],
    }
    answers, asked = auth("422 Unprocessable Content", body)
    async with gateway.origin("auth", answers):
        cookie, csrf = await _followed(gateway)
        headers = f"Cookie: {cookie}"
        for changed, said, calls in (
            ({}, "trop connu", 1),
            ({"confirmation": "autre"}, "ne sont pas les mêmes", 1),
            ({"nouveau_mot_de_passe": "", "confirmation": ""}, "Saisissez votre nouveau mot de passe.", 1),
        ):
            fields = {"csrf": csrf, **PASSWORDS, **changed}
            status, cookies, page = await post(gateway, fields, headers, path="/nouveau-mot-de-passe")
            assert (status, said in page.decode(), len(asked)) == (422, True, calls)
            assert cookies == SimpleCookie()


@pytest.mark.parametrize("value", ["", "rubbish", "a.b.c.d.e"])
async def test_without_a_link_there_is_no_form(gateway: Gateway, value: str) -> None:
    status, _, page = await gateway.raw(f"GET /nouveau-mot-de-passe HTTP/1.1\nHost: portal\nCookie: link={value}")
    assert (status, "Ce lien n’est plus valable" in page.decode()) == (410, True)


@pytest.mark.parametrize(
    ("identifier", "number", "robot", "said"),
    [
        ("", "2 84 05 75 117 001 28", "true", "Saisissez votre identifiant."),
        ("12345678", "", "true", "Saisissez votre numéro de Sécurité sociale."),
        ("12345678", "2840575117001", "true", "il en faut 15, avec la clé"),
        ("12345678", "2 84 05 75 117 001 29", "true", "il en faut 15, avec la clé"),
        ("12345678", "2 84 05 75 117 001 28", "", "Cochez «\N{NO-BREAK SPACE}Je ne suis pas un robot"),
    ],
)
async def test_what_is_mistyped_is_said_before_asking(
    gateway: Gateway, identifier: str, number: str, robot: str, said: str
) -> None:
    cookie, csrf = await form(gateway, "/mot-de-passe-perdu")
    fields = {"csrf": csrf, "identifiant": identifier, "securite_sociale": number, "robot": robot}
    status, _, page = await post(gateway, fields, f"Cookie: {cookie}", path="/mot-de-passe-perdu")
    text = page.decode()
    assert (status, said in text) == (422, True)
    assert number not in text or not number


async def _asked(gateway: Gateway, **more: str) -> tuple[int, str]:
    """Status and page after the form was sent."""
    cookie, csrf = await form(gateway, "/mot-de-passe-perdu")
    typed = {"identifiant": " 12345678 ", "securite_sociale": "2 84 05 75 117 001 28", "robot": "true"}
    status, _, page = await post(
        gateway, {"csrf": csrf, **typed, **more}, f"Cookie: {cookie}", path="/mot-de-passe-perdu"
    )
    return status, page.decode()


@pytest.mark.parametrize("sent", [{"altcha": "solved"}, {"altcha": ""}, {}])
async def test_a_request_leads_to_one_page_for_all(
    gateway: Gateway, auth: Callable[[str, dict[str, object]], tuple[Answer, list[Seen]]], sent: dict[str, str]
) -> None:
    answers, asked = auth("202 Accepted", {"status": "received"})
    async with gateway.origin("auth", answers):
        assert (await _asked(gateway, **sent))[0] == 303
    told = {"identifier": "12345678", "nir": "2 84 05 75 117 001 28"}
    assert json.loads(asked[0].body) == (told | {"altcha": "solved"} if sent.get("altcha") else told)


@pytest.mark.parametrize(
    ("sent", "said", "by_telephone"),
    [({"altcha": "late"}, "La vérification n’est plus valable.", False), ({}, "elle est déjà partie", True)],
)
async def test_a_request_that_is_no_proof_says_what_to_do_and_keeps_the_tick(
    gateway: Gateway,
    auth: Callable[[str, dict[str, object]], tuple[Answer, list[Seen]]],
    sent: dict[str, str],
    said: str,
    by_telephone: bool,
) -> None:
    answers, _ = auth("422 Unprocessable Content", {"code": "challenge_failed"})
    async with gateway.origin("auth", answers):
        status, page = await _asked(gateway, **sent)
    robot = page[page.index('<input type="checkbox" id="robot"') :].partition(">")[0]
    assert (status, said in page) == (422, True)
    assert "checked" in robot
    assert 'aria-describedby="robot-erreur"' in robot
    assert "late" not in page
    assert ('href="tel:' in page.partition('role="alert"')[2].partition("<form")[0]) == by_telephone
