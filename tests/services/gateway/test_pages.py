"""What every page carries, and which forms are taken. The services are not needed for that."""

from __future__ import annotations

import asyncio
import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from tests.services.gateway.running import Gateway, Seen, say

pytestmark = pytest.mark.servers

PAGES = (
    "/", "/activation?token=abc", "/identifiant-valide", "/nulle-part", "/remboursements", "/static/portal.css",
    "/remboursements/annee", "/decomptes?annee=2026",
    "/mot-de-passe-perdu", "/mot-de-passe-perdu/demande", "/nouveau-mot-de-passe?token=abc", "/nouveau-mot-de-passe",
    "/nouveau-mot-de-passe/fait", "/identifiant-oublie", "/deblocage?token=abc", "/deblocage", "/deblocage/fait",
    "/compte", "/compte/appareils", "/fermer-session?token=abc", "/fermer-session/fait",
    "/carte/plein-ecran", "/carte/partages", "/carte-partagee/abc",
)  # fmt: skip
SIGNED_IN = (
    b'{"access_token": "a.b.c", "refresh_token": "r", "expires_in": 300, "device_token": "d", "required_actions": []}'
)


async def form(gateway: Gateway, path: str = "/") -> tuple[str, str]:
    """(cookie header, CSRF token) of a browser that opened a page."""
    _, headers, body = await gateway.raw(f"GET {path} HTTP/1.1\nHost: portal")
    token = re.search(rb'name="csrf" value="([^"]+)"', body)
    assert token
    return "; ".join(value.split(";")[0] for name, value in headers if name == "set-cookie"), token[1].decode()


async def post(
    gateway: Gateway, fields: dict[str, str], *headers: str, path: str = "/"
) -> tuple[int, SimpleCookie, bytes]:
    """Send a form; answers status, cookies set, body."""
    body = urlencode(fields).encode()
    head = [f"POST {path} HTTP/1.1", "Host: portal", "Content-Type: application/x-www-form-urlencoded", *headers]
    status, answered, page = await gateway.raw("\n".join([*head, f"Content-Length: {len(body)}"]), body)
    cookies = SimpleCookie()
    for name, value in answered:
        if name == "set-cookie":
            cookies.load(value)
    return status, cookies, page


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_carries_the_same_strict_headers(gateway: Gateway, path: str) -> None:
    _, pairs, body = await gateway.raw(f"GET {path} HTTP/1.1\nHost: portal")
    headers = dict(pairs)
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["worker-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert "strict-transport-security" not in headers  # not over TLS
    assert not re.search(rb"<style|<script(?! src)| style=| on\w+=", body)


async def test_static_files_with_their_fingerprint_may_be_kept(gateway: Gateway) -> None:
    _, _, page = await gateway.raw("GET / HTTP/1.1\nHost: portal")
    addresses = re.findall(rb'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        status, headers, _ = await gateway.raw(f"GET {address.decode()} HTTP/1.1\nHost: portal")
        assert (status, dict(headers)["cache-control"]) == (200, "public, max-age=31536000, immutable")


async def test_cookies_over_plain_http_are_httponly_and_lax(gateway: Gateway) -> None:
    _, pairs, _ = await gateway.raw("GET / HTTP/1.1\nHost: portal")
    assert [re.sub("=[^;]*", "=…", v, count=1) for k, v in pairs if k == "set-cookie"] == [
        "csrf=…; Path=/; HttpOnly; SameSite=Lax"
    ]


async def test_over_tls_cookies_are_bound_to_the_host() -> None:
    async def signs_in(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", SIGNED_IN, "Content-Type: application/json")

    with Gateway(PORTAL_URL="https://portail.example") as gateway:
        async with gateway.origin("auth", signs_in):
            cookie, csrf = await form(gateway)
            fields = {"csrf": csrf, "identifiant": "12345678", "mot_de_passe": "secret"}
            status, cookies, _ = await post(gateway, fields, f"Cookie: {cookie}", "Origin: https://portail.example")
            _, headers, _ = await gateway.raw("GET / HTTP/1.1\nHost: portal")
    assert status == 303
    assert set(cookies) == {"__Host-session", "__Host-device"}
    for morsel in cookies.values():
        assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, True, "Lax", "/")
        assert (morsel["domain"], morsel["max-age"], morsel["expires"]) == ("", "", "")  # gone with the browser
        assert not any(secret in morsel.value for secret in ("a.b.c", "12345678"))
    assert "max-age" in dict(headers)["strict-transport-security"]


async def test_a_form_is_taken_from_our_own_pages_only(gateway: Gateway) -> None:
    asked: list[Seen] = []

    async def refuses(seen: Seen, writer: asyncio.StreamWriter) -> None:
        asked.append(seen)
        body = b'{"code": "invalid_credentials", "attempts_left": 1}'
        await say(writer, "401 Unauthorized", body, "Content-Type: application/problem+json")

    cookie, csrf = await form(gateway)
    other_cookie, other_csrf = await form(gateway)
    typed = {"identifiant": "12345678", "mot_de_passe": "secret"}
    good = {**typed, "csrf": csrf}
    async with gateway.origin("auth", refuses):
        for fields, headers in (
            (typed, [f"Cookie: {cookie}"]),
            (good, []),
            (good, [f"Cookie: {other_cookie}"]),
            ({**typed, "csrf": other_csrf}, [f"Cookie: {cookie}"]),
            ({**typed, "csrf": csrf[:-4] + "AAAA"}, [f"Cookie: {cookie}"]),
            (good, [f"Cookie: {cookie}", "Sec-Fetch-Site: cross-site"]),
            (good, [f"Cookie: {cookie}", "Sec-Fetch-Site: same-site"]),
            (good, [f"Cookie: {cookie}", "Origin: https://evil.example"]),
        ):
            status, _, page = await post(gateway, fields, *headers)
            assert status == 403, headers
            assert "Ce formulaire n’est plus valable" in page.decode()
        assert asked == []
        for site in ("Sec-Fetch-Site: same-origin\nOrigin: null", f"Origin: {gateway.url}"):
            status, _, page = await post(gateway, good, f"Cookie: {cookie}", site)
            assert (status, len(asked)) != (403, 0)
            assert "Il vous reste 1 essai." in page.decode()
    assert len(asked) == 2


async def test_every_post_of_a_page_is_protected(gateway: Gateway) -> None:
    for path in (
        "/", "/deconnexion", "/premiere-connexion", "/premiere-connexion/renvoyer", "/premiere-connexion/mot-de-passe",
        "/activation", "/mot-de-passe-perdu", "/nouveau-mot-de-passe", "/deblocage", "/compte/mot-de-passe", "/langue",
        "/compte/appareils/fermer", "/compte/appareils/fermer-les-autres", "/fermer-session",
        "/carte/partages", "/carte/partages/arreter",
    ):  # fmt: skip
        assert (await post(gateway, {"token": "x"}, path=path))[0] == 403, path


async def test_a_session_that_was_tampered_with_is_none(gateway: Gateway) -> None:
    async def signs_in(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", SIGNED_IN, "Content-Type: application/json")

    cookie, csrf = await form(gateway)
    async with gateway.origin("auth", signs_in):
        fields = {"csrf": csrf, "identifiant": "1", "mot_de_passe": "2"}
        _, cookies, _ = await post(gateway, fields, f"Cookie: {cookie}")
    sealed = cookies["session"].value
    for value in (
        sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB"),
        cookies["device"].value,
        "rubbish",
        "a.b.c.d.e",
    ):
        status, headers, _ = await gateway.raw(f"GET /remboursements HTTP/1.1\nHost: portal\nCookie: session={value}")
        assert (status, dict(headers)["location"]) == (303, "/?suite=%2Fremboursements")


async def test_nobody_is_sent_elsewhere_after_signing_in(gateway: Gateway) -> None:
    async def signs_in(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", SIGNED_IN, "Content-Type: application/json")

    async with gateway.origin("auth", signs_in):
        for suite, goes_to in (
            ("/remboursements/R-1", "/remboursements/R-1"),
            ("//evil.example", "/accueil"),
            ("https://evil.example/", "/accueil"),
            ("/\\evil.example", "/accueil"),
            ("javascript:alert(1)", "/accueil"),
            ("/x\r\nSet-Cookie: a=b", "/accueil"),
        ):
            cookie, csrf = await form(gateway)
            body = urlencode({"csrf": csrf, "identifiant": "1", "mot_de_passe": "2", "suite": suite}).encode()
            head = f"POST / HTTP/1.1\nHost: portal\nContent-Type: application/x-www-form-urlencoded\nCookie: {cookie}"
            _, headers, _ = await gateway.raw(f"{head}\nContent-Length: {len(body)}", body)
            assert dict(headers)["location"] == goes_to


async def test_a_form_too_large_and_a_service_away_are_pages(gateway: Gateway) -> None:
    cookie, csrf = await form(gateway)
    fields = {"csrf": csrf, "identifiant": "1", "mot_de_passe": "2"}
    status, _, page = await post(gateway, {**fields, "suite": "x" * 70_000}, f"Cookie: {cookie}")
    assert (status, "L’envoi est trop volumineux" in page.decode()) == (413, True)
    status, _, page = await post(gateway, fields, f"Cookie: {cookie}")
    assert (status, "Le service est momentanément indisponible" in page.decode()) == (503, True)


async def test_an_address_that_does_not_exist_is_a_page_for_forms_too(gateway: Gateway) -> None:
    for request in ("GET /nulle-part", "POST /nulle-part", "POST /accueil"):
        status, headers, page = await gateway.raw(f"{request} HTTP/1.1\nHost: portal\nContent-Length: 0")
        assert (status, "Cette page n’existe pas" in page.decode()) == (404, True), request
        assert dict(headers)["x-request-id"] in page.decode()


async def test_part_of_a_page_without_a_session_sends_the_whole_page_to_sign_in(gateway: Gateway) -> None:
    head = "GET /parties/remboursements/R-1 HTTP/1.1\nHost: portal\nHX-Request: true"
    status, headers, body = await gateway.raw(f"{head}\nHX-Current-URL: {gateway.url}/remboursements?filtre=abc")
    assert (status, body) == (204, b"")
    assert dict(headers)["hx-redirect"] == "/?suite=%2Fremboursements%3Ffiltre%3Dabc"
