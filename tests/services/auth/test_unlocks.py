"""A block is told of by itself, and lifted by the mailed link: once, within a day, for whoever has the mailbox."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from tests.services.auth.counting import WRONG, fail
from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed, enrol, some_network
from tests.services.auth.resetting import OWN, made_older, rows_written, shape_of, with_address, with_member_number
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def unlock(api: AuthApi, token: str) -> Answer:
    return await api.call("POST", "/unlocks", {"token": token})


async def locked(api: AuthApi, backbone: Backbone, member: Signed, network: str) -> str:
    """Block that network; answers the token of the link that goes out."""
    known = {event.id for event in backbone.of(member.number, "AccountLocked")}
    assert [answer.status for answer in await fail(api, member.email, network, 2)] == [401, 401]
    while not (new := [e for e in backbone.of(member.number, "AccountLocked") if e.id not in known]):
        await backbone.one_more("AccountLocked", member.number)
    return backbone.opened(new[0], "unlock_token")


async def test_a_block_is_told_of_and_its_link_unlocks_once(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    network, other = some_network(), some_network()
    await fail(api, member.email, other, 2)
    token = await locked(api, backbone, member, network)
    event = backbone.of(member.number, "AccountLocked")[-1]
    now = datetime.now(UTC)
    assert timedelta(minutes=14) < event.data.until - now <= timedelta(minutes=15)
    assert timedelta(hours=23) < event.data.expires_at - now <= timedelta(hours=24)
    assert (await api.sign_in(member.email, OWN, client=network)).status == 429

    done = await unlock(api, token)
    assert (done.status, set(done.body)) == (200, {"device_token"})
    assert done.headers["cache-control"] == "no-store"
    for where in (network, other):  # every block is lifted, on devices that nobody knows too
        assert (await fail(api, member.email, where))[0].body["attempts_left"] == 1
        assert (await api.sign_in(member.email, OWN, client=where)).status == 200
    await fail(api, member.email, network, 2)
    signed_in = await api.sign_in(member.email, OWN, client=network, device_token=done.body["device_token"])
    assert (signed_in.status, signed_in.body["device_token"]) == (200, done.body["device_token"])

    again = await unlock(api, token)
    assert (again.status, again.body["code"]) == (409, "link_used")


async def test_a_link_is_good_for_a_day(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member = await with_address(api, backbone)
    network = some_network()
    token = await locked(api, backbone, member, network)
    await made_older(infra, member, "expires_at", timedelta(hours=24), collection="unlock_links", key="member_number")
    for bad in (token, "never-ours"):
        late = await unlock(api, bad)
        assert (late.status, late.body["code"]) == (410, "link_expired")
    assert (await api.sign_in(member.email, OWN, client=network)).status == 429
    wrong_form = await api.call("POST", "/unlocks", {})
    assert (wrong_form.status, wrong_form.body["code"]) == (422, "validation")


async def test_of_two_presses_at_once_exactly_one_counts(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    token = await locked(api, backbone, member, some_network())
    answers = await asyncio.gather(*(unlock(api, token) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


async def test_three_blocks_are_told_of_in_a_day(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member = await with_address(api, backbone)
    for _ in range(3):
        await locked(api, backbone, member, some_network())
    await fail(api, member.email, some_network(), 2)
    await _nothing_left_to_tell(backbone, infra)
    await backbone.read(1.0)
    assert len(backbone.of(member.number, "AccountLocked")) == 3
    await asyncio.to_thread(_a_day_later, infra, member)
    await locked(api, backbone, member, some_network())


async def test_whoever_is_meant_a_block_leaves_a_row_of_the_same_shape(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, newcomer = await with_member_number(api, backbone), await enrol(backbone)
    identifiers = [member.number, newcomer.nir, f"nobody.{member.number}@example.org", "x"]
    with rows_written(infra, "jobs") as rows:
        for identifier in identifiers:
            await fail(api, identifier, some_network(), 3)
        written = await asyncio.to_thread(lambda: [next(rows) for _ in identifiers])
    assert {row["kind"] for row in written} == {"sign_in_blocked"}
    shapes = [{**row, "_id": row["_id"][:16]} for row in written]
    assert len({json.dumps(shape_of(row), sort_keys=True) for row in shapes}) == 1
    assert not [row for row in written if member.number in str(row) or newcomer.nir in str(row)]
    for somebody in (member, newcomer):  # where a mail can go to, notifications knows
        await backbone.wait_for("AccountLocked", somebody.number)


async def test_a_wrong_present_password_of_a_signed_in_member_blocks_no_sign_in(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    session = (await api.sign_in(member.email, OWN)).body["access_token"]
    change = {"current_password": WRONG, "new_password": "cinq moutons bleus"}
    refused = [await api.call("POST", "/account/password", change, token=session) for _ in range(3)]
    assert [answer.status for answer in refused] == [422, 422, 429]
    assert (await api.sign_in(member.email, OWN)).status == 200
    await _nothing_left_to_tell(backbone, infra)
    await backbone.read(0.5)
    assert not backbone.of(member.number, "AccountLocked")


async def _nothing_left_to_tell(backbone: Backbone, infra: RealServers) -> None:
    def left() -> int:
        with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
            return client["auth"]["jobs"].count_documents({"kind": "sign_in_blocked"})

    while await asyncio.to_thread(left):
        await backbone.read(0.1)


def _a_day_later(infra: RealServers, member: Signed) -> None:
    earlier = {"$dateSubtract": {"startDate": "$$at", "unit": "hour", "amount": 24}}
    older = {"$map": {"input": "$locks_told_at", "as": "at", "in": earlier}}
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        client["auth"]["accounts"].update_one({"_id": member.number}, [{"$set": {"locks_told_at": older}}])
