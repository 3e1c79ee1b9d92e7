"""The three counters of failed sign-ins, each where it counts, what it blocks and what clears it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from services.auth.passwords import generate_temporary
from tests.services.auth.counting import HASHES, WRONG, commands, fail, let_pass, said
from tests.services.auth.driver import Answer, AuthApi, Backbone, enrol, some_network
from tests.services.auth.resetting import OWN, with_address, with_member_number
from tests.stack import RealServers

pytestmark = pytest.mark.servers

PER_DAY = 5
HOUR = 3600
AT_ONCE = 100


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"SIGN_IN_MAX_FAILURES_PER_DAY": str(PER_DAY)}


async def test_a_block_of_the_network_leaves_a_known_device_there_alone(api: AuthApi, backbone: Backbone) -> None:
    member, other = [await enrol(backbone) for _ in range(2)]
    network, password = some_network(), member.temporary_password
    known = (await api.sign_in(member.nir, password, client=network)).body["device_token"]
    others = (await api.sign_in(other.nir, other.temporary_password, client=network)).body["device_token"]
    await fail(api, member.nir, network, 2)
    for shown in ({}, {"device_token": others}, {"device_token": "made up"}, {"device_tokens": [others]}):
        assert (await api.sign_in(member.nir, password, client=network, **shown)).status == 429
    for shown in ({"device_token": known}, {"device_tokens": [others, known]}):
        answer = await api.sign_in(member.nir, password, client=network, **shown)
        assert (answer.status, answer.body["device_token"]) == (200, known)
    assert (await api.sign_in(member.nir, password, client=network)).status == 429  # cleared there, not here


async def test_failures_with_a_known_device_block_that_device_only(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    network, password = some_network(), member.temporary_password
    known = (await api.sign_in(member.nir, password, client=network)).body["device_token"]
    first, second = await fail(api, member.nir, network, 2, device_token=known)
    assert [answer.body["attempts_left"] for answer in (first, second)] == [1, 0]
    blocked = await api.sign_in(member.nir, password, client=some_network(), device_token=known)
    assert (blocked.status, blocked.body["code"]) == (429, "sign_in_blocked")
    assert (await api.sign_in(member.nir, password, client=network)).status == 200
    await let_pass(infra, timedelta(minutes=15))
    assert (await api.sign_in(member.nir, password, client=network, device_token=known)).status == 200


async def test_a_known_device_may_fail_so_often_in_a_day_whatever_succeeds_between(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    network, password = some_network(), OWN
    known = (await api.sign_in(member.number, password, client=network)).body["device_token"]
    for count in range(1, PER_DAY + 1):
        [failed] = await fail(api, member.number, network, device_token=known)
        assert failed.body["attempts_left"] == (0 if count == PER_DAY else 1)
        answer = await api.sign_in(member.number, password, client=network, device_token=known)
        assert answer.status == (429 if count == PER_DAY else 200)
    assert 23 * HOUR < int(answer.headers["retry-after"]) <= 24 * HOUR
    assert (await api.sign_in(member.number, password, client=network)).status == 200
    await let_pass(infra, timedelta(hours=24))
    assert (await api.sign_in(member.number, password, client=network, device_token=known)).status == 200


@pytest.mark.parametrize("exists", [True, False])
async def test_failures_of_all_networks_of_a_day_block_every_unknown_device(
    api: AuthApi, backbone: Backbone, infra: RealServers, *, exists: bool
) -> None:
    member = await enrol(backbone)
    identifier = member.nir if exists else f"1{member.nir[1:]}"
    password = member.temporary_password
    known = (await api.sign_in(member.nir, password)).body["device_token"]
    early = [(await fail(api, identifier, some_network()))[0] for _ in range(2)]
    await let_pass(infra, timedelta(hours=13))
    late = [(await fail(api, identifier, some_network()))[0] for _ in range(PER_DAY - 2)]
    assert [answer.body["attempts_left"] for answer in early + late] == [1] * (PER_DAY - 1) + [0]
    [blocked] = await fail(api, identifier, some_network())
    assert (blocked.status, blocked.body["attempts_left"]) == (429, 0)
    assert int(late[-1].headers["retry-after"]) - int(blocked.headers["retry-after"]) < 30
    assert 10 * HOUR < int(blocked.headers["retry-after"]) <= 11 * HOUR
    if exists:  # a way in that no stranger can take; it clears what it may, not this
        assert (await api.sign_in(identifier, password, device_token=known)).status == 200
        assert (await fail(api, identifier, some_network()))[0].status == 429
    await let_pass(infra, timedelta(hours=11))
    assert (await fail(api, identifier, some_network()))[0].body["attempts_left"] == 1


async def test_a_success_on_an_unknown_device_keeps_the_count_of_the_day(api: AuthApi, backbone: Backbone) -> None:
    member = await with_member_number(api, backbone)
    network = some_network()
    for count in range(1, PER_DAY + 1):
        assert (await fail(api, member.number, network))[0].status == 401
        answer = await api.sign_in(member.number, OWN, client=network)
        assert answer.status == (429 if count == PER_DAY else 200)


async def test_a_letters_password_is_left_out_of_the_day_and_keeps_the_short_counter(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await enrol(backbone)
    network, answers = some_network(), {}
    for identifier in (member.nir, f"1{member.nir[1:]}"):
        letters = [await _letter(api, identifier, some_network()) for _ in range(PER_DAY)]
        guesses = [(await fail(api, identifier, some_network()))[0] for _ in range(PER_DAY + 1)]
        short = [await _letter(api, identifier, network) for _ in range(3)]
        answers[identifier] = [said(answer) for answer in (*letters, *guesses, *short)]
    assert [answer.status for answer in letters] == [401] * PER_DAY
    assert [answer.status for answer in guesses] == [401] * PER_DAY + [429]  # those before do not count
    assert [(answer.status, answer.body["attempts_left"]) for answer in short] == [(401, 1), (401, 0), (429, 0)]
    assert answers[member.nir] == answers[identifier]
    right = await api.sign_in(member.nir, member.temporary_password, client=some_network())
    assert right.status == 200
    assert (await fail(api, member.nir, some_network()))[0].status == 429


async def _letter(api: AuthApi, identifier: str, network: str) -> Answer:
    """A wrong password of a letter's form."""
    return await api.sign_in(identifier, generate_temporary(), client=network)


@pytest.mark.parametrize("exists", [True, False])
async def test_of_a_hundred_tries_at_once_two_are_looked_at(api: AuthApi, backbone: Backbone, *, exists: bool) -> None:
    member = await enrol(backbone)
    identifier = member.nir if exists else f"1{member.nir[1:]}"
    before = await api.metric(HASHES)
    answers = await asyncio.gather(*(api.sign_in(identifier, WRONG) for _ in range(AT_ONCE)))
    assert sorted(answer.status for answer in answers) == [401] * 2 + [429] * (AT_ONCE - 2)
    assert await api.metric(HASHES) - before == 2
    assert sorted(answer.body["attempts_left"] for answer in answers) == [0] * (AT_ONCE - 1) + [1]


async def test_of_a_hundred_networks_at_once_as_many_are_looked_at_as_in_a_day(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await enrol(backbone)
    before = await api.metric(HASHES)
    networks = [f"10.77.{count}.1" for count in range(AT_ONCE)]
    answers = await asyncio.gather(*(api.sign_in(member.nir, WRONG, client=network) for network in networks))
    assert Counter(answer.status for answer in answers) == {401: PER_DAY, 429: AT_ONCE - PER_DAY}
    assert await api.metric(HASHES) - before == PER_DAY


async def test_a_known_device_comes_in_while_strangers_hammer(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    known = (await api.sign_in(member.nir, member.temporary_password)).body["device_token"]
    over = asyncio.Event()

    async def hammer() -> int:
        refused = 0
        while not over.is_set():
            answer = await api.sign_in(member.nir, WRONG)
            refused += answer.status == 429
        return refused

    strangers = [asyncio.create_task(hammer()) for _ in range(8)]
    try:
        answers = [await api.sign_in(member.nir, member.temporary_password, device_token=known) for _ in range(5)]
    finally:
        over.set()
    assert [answer.status for answer in answers] == [200] * 5
    assert sum(await asyncio.gather(*strangers)) > 0


async def test_known_or_not_a_try_costs_the_same_hashes_and_the_same_of_the_database(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    identifiers = {"known": member.email, "unknown": f"nobody.{member.number}@example.org", "of no form": "x y z"}
    blocked_network, costs, answers = some_network(), {}, {}
    for who, identifier in identifiers.items():
        for case in ("a letter's form", "wrong", "begins the block", "blocked", "blocked and right"):
            network = some_network() if case == "a letter's form" else blocked_network
            password = {"a letter's form": generate_temporary(), "blocked and right": OWN}.get(case, WRONG)
            before = await api.metric(HASHES)
            async with commands(infra) as asked:
                answers[who, case] = said(await api.sign_in(identifier, password, client=network, device_token="x"))
            costs[who, case] = (dict(asked), await api.metric(HASHES) - before)
    found = {"accounts find": 1}
    reads = found | {"sign_in_attempts findAndModify": 1}
    recorded = {"security_events insert": 1}
    refused = found | {"sign_in_attempts findAndModify without a change": 1}
    for who in identifiers:
        assert costs[who, "wrong"] == costs[who, "a letter's form"] == (reads | recorded, 1)
        assert costs[who, "begins the block"] == (reads | recorded | {"jobs update": 1}, 1)
        assert costs[who, "blocked"] == costs[who, "blocked and right"] == (refused, 0)
        for case in ("a letter's form", "wrong", "begins the block", "blocked"):
            assert answers[who, case] == answers["known", case]
    async with commands(infra) as asked:
        assert (await api.sign_in(member.email, OWN, client=some_network())).status == 200
    assert reads.items() <= asked.items()  # what a success does besides is done by whoever knew the password


@pytest.mark.parametrize("exists", [True, False])
async def test_who_hammers_an_identifier_is_refused_unseen_and_nobody_else_is(
    api: AuthApi, backbone: Backbone, infra: RealServers, *, exists: bool
) -> None:
    member = await enrol(backbone)
    known = (await api.sign_in(member.nir, member.temporary_password)).body["device_token"]
    identifier = member.nir if exists else f"1{member.nir[1:]}"
    for _ in range(PER_DAY):
        assert (await fail(api, identifier, some_network()))[0].status == 401
    slowly = await fail(api, identifier, some_network(), 1)
    async with commands(infra) as asked:
        hammered = await asyncio.gather(
            *(api.sign_in(identifier, WRONG, client=some_network()) for _ in range(AT_ONCE))
        )
        assert [said(answer) for answer in hammered] == [said(slowly[0])] * AT_ONCE
        if exists:
            letter = await api.sign_in(identifier, member.temporary_password, device_token=known)
            assert letter.status == 200
    assert asked["sign_in_attempts findAndModify without a change"] < AT_ONCE / 2
