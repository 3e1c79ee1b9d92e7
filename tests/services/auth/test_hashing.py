"""Hashing on the real servers: when every place is taken, when a password is enormous, when the parameters change."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from deploy.local.servers.program import Supervised
from services.auth.lines import MAX_IN_LINE
from tests.services.auth.counting import commands
from tests.services.auth.driver import AuthApi, Backbone, enrol, some_network
from tests.services.gateway.running import Gateway
from tests.services.gateway.test_pages import form, post
from tests.stack import RealServers

pytestmark = pytest.mark.servers

HASHES = 'espace_password_hashes_total{purpose="request"}'
OWN = "quatre chevaux verts"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """One hash at a time, which takes a moment, and no queue; two of a day."""
    hashing = {"HASHING_THREADS": "1", "HASHING_MAX_WAITING": "0", "ARGON2_PASSES": "60"}
    return {**hashing, "SIGN_IN_MAX_FAILURES_PER_DAY": "2"}


async def test_a_full_queue_answers_503_at_once_through_the_gateway_and_does_not_grow(api: AuthApi) -> None:
    with Gateway(AUTH_URL=api.url) as gateway:
        before = await api.metric(HASHES)
        cookie, csrf = await form(gateway)
        fields = {"csrf": csrf, "identifiant": "00000002", "mot_de_passe": "pas le bon mot"}
        first = asyncio.create_task(_sign_in(gateway))
        for _ in range(1000):
            if await api.metric(HASHES) > before:
                break
            await asyncio.sleep(0.01)
        answers = [await _sign_in(gateway, f"0000000{other}") for other in (3, 4, 5)]
        page_status, _, page = await post(gateway, fields, f"Cookie: {cookie}")
        assert not first.done()  # its hash still runs: everything above was refused meanwhile
        assert {(status, retry_after) for status, retry_after, _ in answers} == {(503, "1")}
        assert answers[0][2]["code"] == "unavailable"
        assert (page_status, "réessayez" in page.decode().lower()) == (503, True)
        assert (await first)[0] == 401
        assert await api.metric(HASHES) == before + 1  # nothing waited for its turn
        status, _, body = await _sign_in(gateway)
        assert (status, body["attempts_left"]) == (401, 0)
        status, _, body = await _sign_in(gateway, "00000003")
        assert (status, body["attempts_left"]) == (401, 1)  # the try that was not made is not counted


async def _sign_in(gateway: Gateway, identifier: str = "00000001") -> tuple[int, str | None, dict[str, Any]]:
    """(status, Retry-After, body) of a wrong sign-in by the public API."""
    body = json.dumps({"identifier": identifier, "password": "pas le bon mot"}).encode()
    head = "POST /api/v1/session HTTP/1.1\nHost: portal\nContent-Type: application/json"
    status, headers, answered = await gateway.raw(f"{head}\nContent-Length: {len(body)}", body)
    return status, dict(headers).get("retry-after"), json.loads(answered)


async def test_who_finds_the_line_full_is_refused_at_once_and_the_database_is_not_asked(
    api: AuthApi, infra: RealServers
) -> None:
    async with commands(infra) as asked:
        tries = (api.sign_in("00000009", "pas le bon mot", client=some_network()) for _ in range(3 * MAX_IN_LINE))
        answers = await asyncio.gather(*tries)
    assert Counter(answer.status for answer in answers) == {401: 2, 429: 3 * MAX_IN_LINE - 2}
    refused = [answer for answer in answers if answer.status == 429]
    assert {(answer.body["code"], answer.body["attempts_left"]) for answer in refused} == {("sign_in_blocked", 0)}
    assert sum(answer.headers["retry-after"] == "5" for answer in refused) > MAX_IN_LINE
    assert asked["accounts find"] < 2 * MAX_IN_LINE


async def test_what_is_too_large_or_no_text_is_refused_before_anything_is_hashed(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    token, before = signed_in.body["access_token"], await api.metric(HASHES)
    for password in ("x" * 1_000_000, "é" * 129, "x1" * 600, "quatre chevaux \ud800"):
        assert (await api.sign_in(member.nir, password)).status == 422
        choice = {"kind": "member_number", "new_password": password}
        assert (await api.call("POST", "/account/identifier", choice, token=token)).status == 422
        change = {"current_password": member.temporary_password, "new_password": password}
        assert (await api.call("POST", "/account/password", change, token=token)).status in {403, 422}
    assert (await api.sign_in(member.nir, "x" * 1_100_000)).status == 413
    assert await api.metric(HASHES) == before
    weak = {"x1" * 65: "too_long", "Azerty123456!": "too_common", f"{member.nir}Aa!": "personal_data"}
    for password, code in weak.items():
        choice = {"kind": "member_number", "new_password": password}
        refused = await api.call("POST", "/account/identifier", choice, token=token)
        assert (refused.status, refused.body["code"]) == (422, "password_too_weak")
        assert [(error["field"], error["code"]) for error in refused.body["errors"]] == [("new_password", code)]
    assert await api.metric(HASHES) == before


async def test_other_parameters_hash_a_password_again_at_the_next_sign_in_and_once(
    api: AuthApi, backbone: Backbone, process: Supervised, infra: RealServers
) -> None:
    member = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    choice = {"kind": "member_number", "new_password": f"{OWN}\0"}
    chosen = await api.call("POST", "/account/identifier", choice, token=signed_in.body["access_token"])
    assert chosen.status == 200
    assert (await api.sign_in(member.number, OWN)).status == 401  # a null byte is a character as any other
    process.stop()
    changed = replace(process.program, environment={**process.program.environment, "ARGON2_PASSES": "2"})
    other = Supervised(changed, infra.processes)
    other.start()
    try:
        for hashes in (2, 3):
            assert (await api.sign_in(member.number, f"{OWN}\0")).status == 200
            assert await api.metric(HASHES) == hashes
    finally:
        other.stop()
