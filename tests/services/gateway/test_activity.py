"""Activité récente: each kind of event in the member's words, whatever auth tells."""

from __future__ import annotations

import asyncio
import json
from typing import get_args

import pytest

from services.auth.models import SecurityEventKind
from tests.services.gateway.members import Browser
from tests.services.gateway.running import Answer, Gateway, Seen, say

pytestmark = pytest.mark.servers

HERE = "/compte/activite"
OTHER = "Autre changement"


def auth(*kinds: str, next_cursor: str | None = None, status: str = "200 OK") -> Answer:
    """auth with a record of those kinds."""
    place = {"network": "198.51.100.0/24", "device": "<b>Safari</b>"}
    items = [{"event_id": "e", "at": "2026-11-23T10:15:00Z", "kind": kind, **place} for kind in kinds]

    async def answer(_: Seen, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"items": items, "next_cursor": next_cursor}).encode()
        await say(writer, status, body, "Content-Type: application/json")

    return answer


async def test_every_kind_of_event_has_words_of_its_own(gateway: Gateway) -> None:
    kinds = get_args(SecurityEventKind)
    async with gateway.origin("auth", auth(*kinds)):
        page = (await Browser(gateway).get(HERE)).page
    assert page.partition("<main")[2].partition("</main>")[0].count("<strong>") == len(kinds)
    assert OTHER not in page
    assert "23 novembre 2026, 11:15" in page
    assert "&lt;b&gt;Safari&lt;/b&gt;" in page
    assert "198.51.100.0/24" in page
    assert not any(f">{kind}<" in page for kind in kinds)


async def test_a_kind_of_a_later_release_is_another_change(gateway: Gateway) -> None:
    async with gateway.origin("auth", auth("moved_to_the_moon")):
        assert OTHER in (await Browser(gateway).get(HERE)).page


async def test_an_empty_record_says_so_and_a_long_one_goes_on(gateway: Gateway) -> None:
    async with gateway.origin("auth", auth()):
        assert "Aucune activité pour l’instant." in (await Browser(gateway).get(HERE)).page
    async with gateway.origin("auth", auth("signed_in", next_cursor="next")) as asked:
        page = (await Browser(gateway).get(f"{HERE}?suite=abc")).page
    assert asked.seen[0].target == "/api/v1/activity?limit=20&cursor=abc"
    assert f'href="{HERE}?suite=next"' in page
    async with gateway.origin("auth", auth(status="422 Unprocessable Entity")):
        assert (await Browser(gateway).get(f"{HERE}?suite=bad")).status == 404
