"""A shared card for whoever has the link: the same for everybody, and nothing kept in the browser or in a log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.qr import qr_code
from tests.services.gateway.members import KEYS, LAURE, Browser
from tests.services.gateway.running import Answer, Gateway, Seen, say

TOKEN = "abcdefghijklmnopqrstuvwxyz0"
HERE = f"/carte-partagee/{TOKEN}"
JSON = "Content-Type: application/json"
MASKED = "2 84 •• •• ••• ••• ••"
CARD = {
    "insurer": {"name": "Plansanté"}, "amc_number": "0123456789", "agreement_type": "SP", "csr": "01",
    "member_number": "12345678", "valid_from": "2026-01-01", "valid_until": "2026-12-31", "contract_name": "Confort",
    "responsible_contract": True, "domains": ["PHAR"], "operators": ["SP"], "footnotes": [],
    "beneficiaries": [{
        "rank": 1, "first_name": "Laure", "last_name": "<b>Dupont</b>", "birth_date": "1984-05-12",
        "nir_masked": MASKED, "cells": [{"operator": "SP", "level": "100/65/30"}],
    }],
}  # fmt: skip


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """With a key that the tests seal with; it lets an address try twelve links a minute."""
    with Gateway(COOKIE_KEYS=KEYS, RATE_LIMIT_PERCENT="10", TRUSTED_PROXIES="127.0.0.0/8") as gateway:
        yield gateway


def claims(status: str = "200 OK") -> Answer:
    """claims with a shared card, or with `status` for every link."""
    ends = {"expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        body = {"code": "share_over"} if status != "200 OK" else ends | (CARD if "openings" in seen.target else {})
        await say(writer, status, json.dumps(body).encode(), JSON)

    return answer


@pytest.mark.servers
async def test_opening_a_link_shows_a_button_and_only_the_button_shows_the_card(gateway: Gateway) -> None:
    browser = Browser(gateway, member=None, cookies={})
    async with gateway.origin("claims", claims()) as asked:
        page = await browser.get(HERE)
        assert [seen.target for seen in asked.seen] == ["/api/v1/card/shares/checks"]
        assert (page.status, "Voir la carte" in page.page, "Laure" in page.page) == (200, True, False)
        card = await browser.post(HERE, {})
        assert [seen.target for seen in asked.seen][1:] == ["/api/v1/card/shares/openings"]
        assert all(json.loads(seen.body) == {"token": TOKEN} for seen in asked.seen)
        assert not any(seen.all("authorization") for seen in asked.seen)
    for words in ("&lt;B&gt;DUPONT", MASKED, "0123456789", "12345678", "100/<wbr>65/<wbr>30", "contrat responsable"):
        assert words in card.page
    for answered in (page, card):
        assert answered.headers["cache-control"] == "no-store"
        assert answered.headers["referrer-policy"] == "no-referrer"
        assert '<meta name="robots" content="noindex">' in answered.page
        assert "set-cookie" not in answered.headers


@pytest.mark.servers
async def test_a_members_own_session_is_neither_shown_nor_prolonged_by_a_link(gateway: Gateway) -> None:
    browser = Browser(gateway, member=LAURE, seen_s=300)
    async with gateway.origin("claims", claims()):
        page = await browser.get(HERE)
    assert "set-cookie" not in page.headers
    assert "Se déconnecter" not in page.page


@pytest.mark.servers
@pytest.mark.parametrize(
    ("status", "shown", "words"),
    [
        ("410 Gone", 410, "Cette carte n’est plus partagée"),
        ("422 Unprocessable Content", 410, "Cette carte n’est plus partagée"),
        ("503 Service Unavailable", 503, "Le service est momentanément indisponible"),
    ],
)
async def test_a_link_that_shows_nothing_says_so_and_sets_no_cookie(
    gateway: Gateway, status: str, shown: int, words: str
) -> None:
    browser = Browser(gateway, member=None, cookies={})
    async with gateway.origin("claims", claims(status)):
        for answered in (await browser.get(HERE), await browser.post(HERE, {})):
            assert (answered.status, words in answered.page) == (shown, True)
            assert "set-cookie" not in answered.headers


@pytest.mark.servers
async def test_links_are_tried_only_so_often_from_one_address(gateway: Gateway) -> None:
    browser = Browser(gateway, member=None, cookies={})
    async with gateway.origin("claims", claims("410 Gone")) as asked:
        tries = [await browser.get(HERE, "X-Forwarded-For: 192.0.2.9") for _ in range(14)]
        assert {answered.status for answered in tries} == {410, 429}
        assert len(asked.seen) <= 13  # the minute may turn in between
        assert (await browser.get(HERE, "X-Forwarded-For: 192.0.2.10")).status == 410
    assert "set-cookie" not in tries[-1].headers


def test_a_qr_code_is_two_colours_and_a_quiet_border_without_any_style() -> None:
    drawn = str(qr_code("https://portail.example" + HERE))
    assert re.findall(r"(?:fill|stroke)=\"([^\"]+)\"", drawn) == ["#fff", "#000"]
    assert not re.search(r"style|script|on\w+=|href", drawn)
    assert 'd="M4 4.5h7' in drawn  # ISO/IEC 18004: four modules of white, then the corner's seven
