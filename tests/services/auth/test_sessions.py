"""Sessions: refreshing, signing out, changing the password."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed, enrol, some_network
from tests.stack import RealServers

pytestmark = pytest.mark.servers

OWN = "quatre chevaux verts"
NEXT = "cinq moutons bleus"


async def test_a_refresh_gives_a_new_pair_and_the_same_one_when_asked_again(api: AuthApi, backbone: Backbone) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    first, again = [await api.refresh(signed_in.body["refresh_token"]) for _ in range(2)]
    assert first.status == again.status == 200
    assert first.body["refresh_token"] == again.body["refresh_token"] != signed_in.body["refresh_token"]


async def test_refreshes_at_the_same_instant_all_get_the_same_successor(api: AuthApi, backbone: Backbone) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    answers = await asyncio.gather(*(api.refresh(signed_in.body["refresh_token"]) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["refresh_token"] for answer in answers}) == 1


async def test_the_previous_token_lives_ten_seconds_after_its_successor_was_used(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    zero = signed_in.body["refresh_token"]
    one = (await api.refresh(zero)).body["refresh_token"]
    assert (await api.refresh(one)).status == 200
    assert (await api.refresh(zero)).body["refresh_token"] == one
    await asyncio.to_thread(_let_pass, infra, "sessions", "used_at", timedelta(seconds=11))
    late = await api.refresh(zero)
    assert (late.status, late.body["code"]) == (401, "unauthenticated")


async def test_an_older_token_closes_the_session(api: AuthApi, backbone: Backbone) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    zero = signed_in.body["refresh_token"]
    one = (await api.refresh(zero)).body["refresh_token"]
    two = (await api.refresh(one)).body["refresh_token"]
    three = (await api.refresh(two)).body
    assert (await api.refresh(zero)).status == 401
    closed = await backbone.wait_for("SessionsClosed", _number(signed_in), lambda data: len(data.session_ids) == 1)
    assert closed.data.all_before is None
    assert (await api.refresh(three["refresh_token"])).status == 401
    assert (await api.call("GET", "/account", token=three["access_token"])).status == 401


async def test_a_session_ends_when_it_is_idle_for_too_long(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    await asyncio.to_thread(_let_pass, infra, "sessions", "expires_at", timedelta(minutes=31))
    assert (await api.refresh(signed_in.body["refresh_token"])).status == 401


@pytest.mark.parametrize("token", ["x", "A" * 70, "é"])
async def test_a_refresh_token_that_is_not_ours_is_refused(api: AuthApi, token: str) -> None:
    assert (await api.refresh(token)).status == 401


async def test_signing_out_closes_the_session_at_once_and_may_be_repeated(api: AuthApi, backbone: Backbone) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    access = signed_in.body["access_token"]
    assert (await api.call("DELETE", "/session", token=access)).status == 204
    assert (await api.call("GET", "/account", token=access)).status == 401
    assert (await api.refresh(signed_in.body["refresh_token"])).status == 401
    assert (await api.call("DELETE", "/session", token=access)).status in {204, 401}
    await backbone.wait_for("SessionsClosed", _number(signed_in))
    await backbone.read(0.5)
    assert len(backbone.of(_number(signed_in), "SessionsClosed")) == 1


@pytest.mark.parametrize("token", [None, "x", "e30.e30.e30"])
async def test_without_a_token_of_ours_nothing_is_shown(api: AuthApi, token: str | None) -> None:
    answer = await api.call("GET", "/account", token=token)
    assert (answer.status, answer.body["code"]) == (401, "unauthenticated")


async def test_a_new_password_closes_the_other_sessions_and_keeps_this_one(api: AuthApi, backbone: Backbone) -> None:
    here = await _member_with_own_password(api, backbone)
    number = _number(here)
    there = await api.sign_in(number, OWN)
    body = {"current_password": OWN, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", body, token=here.body["access_token"])).status == 204

    changed = await backbone.wait_for("PasswordChanged", number, lambda data: data.replaces == "own")
    assert changed.data.at is not None
    await backbone.wait_for("SessionsClosed", number)
    assert (await api.refresh(there.body["refresh_token"])).status == 401
    assert (await api.call("GET", "/account", token=here.body["access_token"])).status == 200
    assert (await api.sign_in(number, OWN)).status == 401
    assert (await api.sign_in(number, NEXT)).status == 200


async def test_a_wrong_current_password_changes_nothing_and_is_limited(api: AuthApi, backbone: Backbone) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    body = {"current_password": "autre chose encore", "new_password": NEXT}
    answers = [
        await api.call("POST", "/account/password", body, token=signed_in.body["access_token"]) for _ in range(3)
    ]
    assert [answer.status for answer in answers] == [422, 422, 429]
    assert answers[0].body["errors"][0]["code"] == "wrong_password"
    assert (await api.sign_in(_number(signed_in), OWN)).status == 200


@pytest.mark.parametrize(("new", "code"), [("court", "too_short"), (OWN, "unchanged")])
async def test_a_weak_new_password_is_refused_with_why(api: AuthApi, backbone: Backbone, new: str, code: str) -> None:
    signed_in = await _member_with_own_password(api, backbone)
    body = {"current_password": OWN, "new_password": new}
    answer = await api.call("POST", "/account/password", body, token=signed_in.body["access_token"])
    assert (answer.status, answer.body["code"]) == (422, "password_too_weak")
    assert code in [error["code"] for error in answer.body["errors"]]


async def test_before_the_choice_of_an_identifier_no_password_is_changed(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    body = {"current_password": member.temporary_password, "new_password": OWN}
    answer = await api.call("POST", "/account/password", body, token=signed_in.body["access_token"])
    assert (answer.status, answer.body["code"]) == (403, "required_action")


async def test_a_password_is_changed_once_when_two_ask_at_the_same_instant(api: AuthApi, backbone: Backbone) -> None:
    here = await _member_with_own_password(api, backbone)
    there = await api.sign_in(_number(here), OWN)
    answers = await asyncio.gather(
        *(
            api.call(
                "POST",
                "/account/password",
                {"current_password": OWN, "new_password": new},
                token=s.body["access_token"],
            )
            for s, new in ((here, NEXT), (there, "six canards jaunes"))
        )
    )
    assert sorted(answer.status for answer in answers)[0] == 204
    assert sorted(answer.status for answer in answers)[1] in {401, 422}


async def test_twenty_one_sessions_are_one_too_many(api: AuthApi, backbone: Backbone) -> None:
    oldest = await _member_with_own_password(api, backbone)
    for _ in range(20):
        newest = await api.sign_in(_number(oldest), OWN)
    assert (await api.refresh(oldest.body["refresh_token"])).status == 401
    assert (await api.refresh(newest.body["refresh_token"])).status == 200


async def test_the_signing_keys_are_public(api: AuthApi) -> None:
    answer = await api.call("GET", "/.well-known/jwks.json")
    assert answer.status == 200
    assert all("d" not in key and key["kty"] == "OKP" for key in answer.body["keys"])


async def _member_with_own_password(api: AuthApi, backbone: Backbone) -> Answer:
    """A sign-in of a member who chose the member number and `OWN`."""
    member: Signed = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    body: dict[str, Any] = {"kind": "member_number", "new_password": OWN}
    chosen = await api.call("POST", "/account/identifier", body, token=signed_in.body["access_token"])
    assert chosen.status == 200
    return signed_in


def _number(signed_in: Answer) -> str:
    """The member number, read from the access token's claims."""
    payload = signed_in.body["access_token"].split(".")[1]
    return str(json.loads(urlsafe_b64decode(payload + "=="))["sub"])


def _let_pass(infra: RealServers, collection: str, field: str, time: timedelta) -> None:
    """Make every instant `field` of the collection that much older: the clock of a test cannot be turned."""
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        change = {"$subtract": [f"${field}", int(time.total_seconds() * 1000)]}
        client["auth"][collection].update_many({field: {"$ne": None}}, [{"$set": {field: change}}])


async def test_sign_ins_at_the_same_instant_each_make_their_device_known(api: AuthApi, backbone: Backbone) -> None:
    number = _number(await _member_with_own_password(api, backbone))
    opened = await asyncio.gather(*(api.sign_in(number, OWN, client=some_network()) for _ in range(4)))
    for device in [signed_in.body["device_token"] for signed_in in opened]:
        again = await api.sign_in(number, OWN, client=some_network(), device_token=device)
        assert again.body["device_token"] == device  # an unknown one is given another
