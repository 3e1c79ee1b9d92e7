"""The language of a page: chosen by the reader, else by the browser; switched on the page itself."""

from __future__ import annotations

import asyncio
import html
import json
import re
from urllib.parse import urlencode

import pytest

from tests.services.gateway.running import Gateway, Seen, say
from tests.services.gateway.test_pages import SIGNED_IN, post

pytestmark = pytest.mark.servers

PREFERENCES = b'{"language": "en", "consents": {"statements": true, "management_information": false}}'
ACCOUNT = b'{"member_number": "12345678", "first_name": "A", "last_name": "B", "identifier_kind": "email"}'


async def opened(gateway: Gateway, path: str, *headers: str) -> tuple[dict[str, str], str]:
    """(headers, page)."""
    _, answered, body = await gateway.raw("\n".join([f"GET {path} HTTP/1.1", "Host: portal", *headers]))
    return dict(answered), body.decode()


def switch(page: str) -> dict[str, str]:
    """The fields of the switch in a page."""
    form = re.search(r'<form method="post" action="/langue">.*?</form>', page, re.DOTALL)
    assert form
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form[0])
    return {name: html.unescape(value) for name, value in fields}


@pytest.mark.parametrize(
    ("headers", "language", "title"),
    [
        ([], "fr", "Espace Assuré"),
        (["Accept-Language: de, en-US;q=0.8, fr;q=0.5"], "en", "Member area"),
        (["Accept-Language: de", "Accept-Language: en"], "en", "Member area"),
        (["Accept-Language: fr", "Cookie: language=en"], "en", "Member area"),
        (["Accept-Language: en", "Cookie: language=fr"], "fr", "Espace Assuré"),
        (["Accept-Language: en", "Cookie: language=../fr"], "en", "Member area"),
    ],
)
async def test_a_page_speaks_the_readers_language(
    gateway: Gateway, headers: list[str], language: str, title: str
) -> None:
    answered, page = await opened(gateway, "/", *headers)
    assert f'<html lang="{language}">' in page
    assert f"<title>{title} · Plansanté</title>" in page
    assert answered["content-language"] == language
    assert {"accept-language", "accept-encoding"} <= set(answered["vary"].split(", "))


async def test_an_error_speaks_it_too(gateway: Gateway) -> None:
    answered, page = await opened(gateway, "/nulle-part", "Accept-Language: en")
    assert answered["content-language"] == "en"
    assert "This page does not exist" in page
    status, _, refused = await post(gateway, {}, "Accept-Language: en")
    assert (status, "This form is no longer valid" in refused.decode()) == (403, True)


@pytest.mark.parametrize("path", ["/", "/?suite=%2Fcarte%3Fle%3D2026-01-01", "/activation?token=abc", "/nulle%20part"])
async def test_the_switch_leads_back_to_the_same_page_in_the_other_language(gateway: Gateway, path: str) -> None:
    answered, page = await opened(gateway, path)
    assert 'value="en" lang="en">English</button>' in page
    fields = switch(page)
    assert (fields["page"], fields["langue"]) == (path, "en")
    cookie = answered["set-cookie"].split(";")[0]
    status, where, set_cookies = await switched(gateway, fields, cookie)
    assert (status, where) == (303, path)
    assert set_cookies == ["language=en; Path=/; HttpOnly; SameSite=Lax"]
    answered, page = await opened(gateway, path, "Cookie: language=en")
    assert answered["content-language"] == "en"
    assert 'value="fr" lang="fr">Français</button>' in page


async def switched(gateway: Gateway, fields: dict[str, str], cookie: str) -> tuple[int, str, list[str]]:
    """(status, where to, cookies set) once the switch is pressed."""
    status, answered, _ = await _post(gateway, "/langue", fields, cookie)
    return status, dict(answered).get("location", ""), [v for k, v in answered if k == "set-cookie"]


async def _post(
    gateway: Gateway, path: str, fields: dict[str, str], cookie: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    body = urlencode(fields).encode()
    head = [f"POST {path} HTTP/1.1", "Host: portal", "Content-Type: application/x-www-form-urlencoded"]
    return await gateway.raw("\n".join([*head, f"Cookie: {cookie}", f"Content-Length: {len(body)}"]), body)


@pytest.mark.parametrize(
    ("posted", "page"),
    [
        ("/", "/"),
        ("/mot-de-passe-perdu", "/mot-de-passe-perdu"),
        ("/premiere-connexion/mot-de-passe", "/premiere-connexion"),
        ("/compte/mails", "/compte"),
        ("/messages/a%20b", "/messages/a%20b"),
        ("/deconnexion", "/"),
        ("/langue", "/"),
    ],
)
async def test_after_a_form_it_leads_to_the_page_of_the_form(gateway: Gateway, posted: str, page: str) -> None:
    status, _, refused = await post(gateway, {}, path=posted)
    assert status == 403
    assert switch(refused.decode())["page"] == page


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:a", "a", ""]
)
async def test_nobody_is_sent_elsewhere(gateway: Gateway, page: str) -> None:
    answered, home = await opened(gateway, "/")
    fields = switch(home) | {"page": page}
    assert (await switched(gateway, fields, answered["set-cookie"].split(";")[0]))[:2] == (303, "/")


async def test_the_switch_is_pressed_on_our_own_pages_only_and_knows_our_languages_only(gateway: Gateway) -> None:
    answered, home = await opened(gateway, "/")
    fields, cookie = switch(home), answered["set-cookie"].split(";")[0]
    assert (await switched(gateway, fields | {"csrf": ""}, cookie)) == (403, "", [])
    status, where, set_cookies = await switched(gateway, fields | {"langue": "de"}, cookie)
    assert (where, set_cookies) == ("", [])
    assert 400 <= status < 500


async def test_the_language_of_mails_is_chosen_in_the_account(gateway: Gateway) -> None:
    changes: list[object] = []

    async def auth(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", ACCOUNT if seen.method == "GET" else SIGNED_IN, "Content-Type: application/json")

    async def notifications(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.method == "PATCH":
            changes.append(json.loads(seen.body))
        await say(writer, "200 OK", PREFERENCES, "Content-Type: application/json")

    async with gateway.origin("auth", auth), gateway.origin("notifications", notifications):
        answered, home = await opened(gateway, "/")
        cookie, csrf = answered["set-cookie"].split(";")[0], switch(home)["csrf"]
        signing_in = {"csrf": csrf, "identifiant": "12345678", "mot_de_passe": "secret"}
        _, cookies, _ = await post(gateway, signing_in, f"Cookie: {cookie}")
        cookie = f"{cookie}; session={cookies['session'].value}"
        _, page = await opened(gateway, "/compte", f"Cookie: {cookie}")
        assert re.findall(r'name="langue" value="(\w+)"( checked)?>', page) == [("fr", ""), ("en", " checked")]
        for choice in ({"langue": "fr", "decomptes": "true"}, {}):
            status, _, _ = await _post(gateway, "/compte/mails", {"csrf": csrf} | choice, cookie)
            assert status == 303
    assert changes == [
        {"language": "fr", "consents": {"statements": True, "management_information": False}},
        {"language": None, "consents": {"statements": False, "management_information": False}},
    ]
