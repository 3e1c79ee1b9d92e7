"""Files of a service, on their way to a browser that has a cookie and no token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.services.gateway.running import Answer, Gateway, Seen, begin_chunks, chunk, say
from tests.services.gateway.test_pages import SIGNED_IN, form, post

pytestmark = pytest.mark.servers

GET = "GET /decomptes/P%2F1 HTTP/1.1\nHost: portal\nCookie: {}"


@pytest.fixture
async def cookie(gateway: Gateway) -> AsyncIterator[str]:
    """A browser that has signed in."""

    async def signs_in(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", SIGNED_IN, "Content-Type: application/json")

    async with gateway.origin("auth", signs_in):
        first, token = await form(gateway)
        fields = {"csrf": token, "identifiant": "12345678", "mot_de_passe": "x"}
        status, cookies, _ = await post(gateway, fields, f"Cookie: {first}", f"Origin: {gateway.url}")
        assert status == 303
        yield f"session={cookies['session'].value}"


def says(status: str, body: bytes, *headers: str) -> Answer:
    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, status, body, *headers)

    return answer


async def test_a_file_comes_with_its_name_and_type_and_nothing_else_of_the_service(
    gateway: Gateway, cookie: str
) -> None:
    named = 'Content-Disposition: attachment; filename="decompte-2026-11-20.pdf"'
    answer = says(
        "200 OK", b"%PDF-1.7 \x00\xff", "Content-Type: application/pdf", named, "Set-Cookie: a=b", "Server: x"
    )
    async with gateway.origin("claims", answer) as claims:
        status, pairs, body = await gateway.raw(GET.format(cookie))
    headers = dict(pairs)
    assert (status, body) == (200, b"%PDF-1.7 \x00\xff")
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == 'attachment; filename="decompte-2026-11-20.pdf"'
    assert (headers["content-length"], headers["cache-control"]) == ("11", "no-store")
    assert not headers.keys() & {"set-cookie", "server"}
    [seen] = claims.seen
    assert seen.target == "/api/v1/payments/P%2F1/statement.pdf"
    assert seen.all("authorization") == ["Bearer a.b.c"]
    assert seen.all("cookie") == []


@pytest.mark.parametrize(
    ("said", "shown", "words"),
    [
        ("404 Not Found", 404, "n’existe pas"),
        ("403 Forbidden", 303, ""),
        ("413 Content Too Large", 413, ""),
        ("500 Internal Server Error", 503, "Réessayez"),
        ("503 Service Unavailable", 503, "Réessayez"),
    ],
)
async def test_what_the_service_refuses_is_a_page(
    gateway: Gateway, cookie: str, said: str, shown: int, words: str
) -> None:
    async with gateway.origin("claims", says(said, b'{"code": "x"}', "Content-Type: application/problem+json")):
        status, pairs, body = await gateway.raw(GET.format(cookie))
    assert status == shown
    assert dict(pairs).get("content-type", "text/html; charset=utf-8") == "text/html; charset=utf-8"
    assert b"x" not in body[:5]
    assert words in body.decode()


async def test_a_session_that_is_over_leads_to_sign_in_and_back(gateway: Gateway, cookie: str) -> None:
    async with gateway.origin("claims", says("401 Unauthorized", b"{}", "Content-Type: application/json")):
        status, pairs, _ = await gateway.raw(GET.format(cookie))
    headers = dict(pairs)
    assert (status, headers["location"]) == (303, "/?suite=%2Fdecomptes%2FP%2F1")
    assert "Max-Age=0" in headers["set-cookie"]


async def test_a_service_that_is_away_is_told_as_everywhere(gateway: Gateway, cookie: str) -> None:
    status, pairs, _ = await gateway.raw(GET.format(cookie))
    assert (status, dict(pairs)["retry-after"]) == (503, "5")


async def test_half_a_file_does_not_look_like_a_whole_one(gateway: Gateway, cookie: str) -> None:
    async def breaks_off(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await begin_chunks(writer, "application/pdf")
        await chunk(writer, b"%PDF" * 50_000)

    async with gateway.origin("claims", breaks_off):
        status, _, body = await gateway.raw(GET.format(cookie))
    assert status == 200
    assert not body.endswith(b"0\r\n\r\n")
