"""Signing in: the block after two failures, unknown identifiers, what never opens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.services.auth.counting import HASHES, WRONG, let_pass, said
from tests.services.auth.driver import AuthApi, Backbone, enrol, some_network
from tests.stack import RealServers

pytestmark = pytest.mark.servers

MINUTE = timedelta(minutes=1)


async def test_two_failures_block_even_the_right_password(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    first, second = [await api.sign_in(member.nir, WRONG) for _ in range(2)]
    assert (first.status, first.body["code"], first.body["attempts_left"]) == (401, "invalid_credentials", 1)
    assert (second.status, second.body["code"], second.body["attempts_left"]) == (401, "invalid_credentials", 0)
    blocked = await api.sign_in(member.nir, member.temporary_password)
    assert (blocked.status, blocked.body["code"], blocked.body["attempts_left"]) == (429, "sign_in_blocked", 0)
    assert 14 * MINUTE < timedelta(seconds=int(blocked.headers["retry-after"])) <= 15 * MINUTE


async def test_fifteen_minutes_later_the_right_password_signs_in(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    for _ in range(2):
        await api.sign_in(member.nir, WRONG)
    await let_pass(infra, 14 * MINUTE)
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 429
    await let_pass(infra, MINUTE)
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 200


async def test_tries_while_blocked_do_not_count(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member = await enrol(backbone)
    for _ in range(2):
        await api.sign_in(member.nir, WRONG)
    await let_pass(infra, 14 * MINUTE)
    assert (await api.sign_in(member.nir, WRONG)).status == 429
    await let_pass(infra, MINUTE)
    assert (await api.sign_in(member.nir, WRONG)).body["attempts_left"] == 1


async def test_a_failure_is_forgotten_after_fifteen_minutes(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    await api.sign_in(member.nir, WRONG)
    await let_pass(infra, 15 * MINUTE)
    assert (await api.sign_in(member.nir, WRONG)).body["attempts_left"] == 1


async def test_an_unknown_identifier_behaves_exactly_alike(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    unknown = f"1{member.nir[1:]}"
    for _ in range(3):
        known_answer, unknown_answer = await api.sign_in(member.nir, WRONG), await api.sign_in(unknown, WRONG)
        assert said(known_answer) == said(unknown_answer)


async def test_a_try_costs_one_hash_whether_the_identifier_exists_or_not(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    before = await api.metric(HASHES)
    for identifier in (member.nir, f"1{member.nir[1:]}", "nobody@example.org", "x"):
        await api.sign_in(identifier, WRONG, client=some_network())
    assert await api.metric(HASHES) - before == 4


async def test_while_blocked_nothing_is_hashed(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    for _ in range(2):
        await api.sign_in(member.nir, WRONG)
    before = await api.metric(HASHES)
    for password in (WRONG, member.temporary_password):
        assert (await api.sign_in(member.nir, password)).status == 429
    assert await api.metric(HASHES) == before


async def test_a_block_is_of_one_network_only(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    for host in ("203.0.113.7", "203.0.113.250"):  # one /24
        await api.sign_in(member.nir, WRONG, client=host)
    assert (await api.sign_in(member.nir, member.temporary_password, client="203.0.113.9")).status == 429
    assert (await api.sign_in(member.nir, member.temporary_password, client="198.51.100.7")).status == 200


async def test_only_the_last_hop_of_the_forwarded_header_counts(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    for forged in ("198.51.100.1", "198.51.100.2"):
        await api.sign_in(member.nir, WRONG, client=f"{forged}, 192.0.2.77")
    assert (await api.sign_in(member.nir, WRONG, client="10.9.8.7, 192.0.2.78")).status == 429


async def test_success_clears_the_counter(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    for _ in range(3):
        assert (await api.sign_in(member.nir, WRONG)).body["attempts_left"] == 1
        assert (await api.sign_in(member.nir, member.temporary_password)).status == 200


async def test_however_many_tries_come_at_once_only_two_are_looked_at(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    answers = await asyncio.gather(*(api.sign_in(member.nir, WRONG) for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [401] * 2 + [429] * 10


@pytest.mark.parametrize("identifier", ["x", "284057511700128", "@", "a@b", "1 2 3", "é" * 100])
async def test_an_identifier_of_no_known_form_fails_like_any_other(api: AuthApi, identifier: str) -> None:
    answer = await api.sign_in(identifier, WRONG, client=some_network())
    assert (answer.status, answer.body["code"], answer.body["attempts_left"]) == (401, "invalid_credentials", 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"identifier": "x"},
        {"identifier": "", "password": "p"},
        {"identifier": "x", "password": "p" * 129},
        {"identifier": "x", "password": "\ud800"},
        {"identifier": "\ud800", "password": "p"},
        {"identifier": "x", "password": "p", "device_token": "\udfff"},
        [],
        None,
    ],
)
async def test_a_request_of_the_wrong_form_is_refused_by_field(api: AuthApi, body: object) -> None:
    answer = await api.call("POST", "/session", body)
    assert (answer.status, answer.body["code"]) == (422, "validation")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["request_id"]


async def test_a_device_is_known_again_by_its_token(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    first = await api.sign_in(member.nir, member.temporary_password, device_name="Firefox", trust_device=True)
    token = first.body["device_token"]
    again = await api.sign_in(member.nir, member.temporary_password, device_token=token)
    other = await api.sign_in(member.nir, member.temporary_password, device_token="unknown")
    assert again.body["device_token"] == token
    assert other.body["device_token"] not in {token, "unknown"}
