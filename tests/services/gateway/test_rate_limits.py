"""How often one address may ask: the API and the pages count together, each address by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.services.gateway.running import Gateway, says_ok
from tests.services.gateway.test_pages import form, post

pytestmark = pytest.mark.servers

THREE_SIGN_INS = {"RATE_LIMIT_PERCENT": "3", "TRUSTED_PROXIES": "127.0.0.0/8"}
SIGN_IN = "POST /api/v1/session HTTP/1.1\nHost: portal\nContent-Length: 2"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that lets three sign-ins a minute of one address through."""
    with Gateway(**THREE_SIGN_INS) as gateway:
        yield gateway


async def sign_in(gateway: Gateway, address: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers, body of one try from `address`."""
    status, headers, body = await gateway.raw(f"{SIGN_IN}\nX-Forwarded-For: {address}", b"{}")
    return status, dict(headers), body


async def test_an_address_that_had_its_share_waits_and_others_do_not(gateway: Gateway) -> None:
    async with gateway.origin("auth", says_ok) as auth:
        assert [(await sign_in(gateway, "192.0.2.7"))[0] for _ in range(3)] == [200] * 3
        status, headers, body = await sign_in(gateway, "192.0.2.7")
        assert (await sign_in(gateway, "192.0.2.8"))[0] == 200
        reads = await gateway.raw("GET /.well-known/jwks.json HTTP/1.1\nHost: portal\nX-Forwarded-For: 192.0.2.7")
    assert (status, json.loads(body)["code"]) == (429, "too_many_requests")
    assert 1 <= int(headers["retry-after"]) <= 60
    assert reads[0] == 200  # each path has its own share
    assert len(auth.seen) == 5  # the service never saw the refused one


async def test_a_household_of_ipv6_is_one_address(gateway: Gateway) -> None:
    async with gateway.origin("auth", says_ok):
        tries = [(await sign_in(gateway, f"2001:db8:1:2::{n:x}"))[0] for n in range(1, 5)]
        assert tries == [200, 200, 200, 429]
        assert (await sign_in(gateway, "2001:db8:1:3::1"))[0] == 200


async def test_the_page_counts_with_the_api_and_answers_with_a_page(gateway: Gateway) -> None:
    async with gateway.origin("auth", says_ok) as auth:
        for _ in range(3):
            await sign_in(gateway, "127.0.0.1")
        cookie, token = await form(gateway)
        fields = {"csrf": token, "identifiant": "12345678", "mot_de_passe": "x"}
        status, _, page = await post(gateway, fields, f"Cookie: {cookie}")
    assert status == 429
    assert "Trop de demandes à la fois".encode() in page
    assert len(auth.seen) == 3
