"""A member's devices: how long each stays signed in, the list of them, and a new one that can be taken back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed, enrol
from tests.services.auth.resetting import (
    OWN,
    ask,
    confirm,
    link_token,
    made_older,
    token_claims,
    with_address,
    with_member_number,
)
from tests.stack import RealServers

pytestmark = pytest.mark.servers

NEWS = "SignedInFromNewDevice"
UNKNOWN_SESSION = "0190b3a2-7c1d-7e7e-8d2f-0123456789ab"


async def test_a_trusted_session_outlives_half_an_hour_and_ends_after_30_days(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    own = await api.sign_in(member.number, OWN, trust_device=True)
    shared = await api.sign_in(member.number, OWN)
    assert _lives(own, timedelta(days=30))
    assert _lives(shared, timedelta(hours=12))
    await _let_pass(infra, member, timedelta(minutes=31))
    assert (await api.refresh(shared.body["refresh_token"])).status == 401
    kept = await api.refresh(own.body["refresh_token"])
    assert (kept.status, _lives(kept, timedelta(days=30) - timedelta(minutes=31))) == (200, True)
    await _let_pass(infra, member, timedelta(days=29, hours=23))
    kept = await api.refresh(kept.body["refresh_token"])
    assert kept.status == 200  # no refresh puts its end off or nearer
    await _let_pass(infra, member, timedelta(hours=1))
    assert (await api.refresh(kept.body["refresh_token"])).status == 401


async def test_a_session_elsewhere_ends_after_12_hours_however_active(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    opened = await api.sign_in(member.number, OWN)
    assert opened.body["expires_in"] == 300
    await _let_pass(infra, member, timedelta(hours=11, minutes=57), idle=False)
    refreshed = await api.refresh(opened.body["refresh_token"])
    assert refreshed.status == 200
    ends_at, claims = datetime.fromisoformat(refreshed.body["session_ends_at"]), token_claims(refreshed)
    assert claims["exp"] == int(ends_at.timestamp())  # the access token ends with it
    assert claims["exp"] - claims["iat"] == refreshed.body["expires_in"] <= 180
    await _let_pass(infra, member, timedelta(minutes=4))
    assert (await api.refresh(refreshed.body["refresh_token"])).status == 401


async def test_a_tick_counts_for_the_sign_in_it_was_made_at(api: AuthApi, backbone: Backbone) -> None:
    member = await with_member_number(api, backbone)
    own = await api.sign_in(member.number, OWN, trust_device=True)
    again = await api.sign_in(member.number, OWN, device_token=own.body["device_token"])
    assert _lives(again, timedelta(hours=12))


async def test_signing_in_again_on_a_device_ends_the_session_it_had(api: AuthApi, backbone: Backbone) -> None:
    member = await with_member_number(api, backbone)
    elsewhere, before = [await api.sign_in(member.number, OWN) for _ in range(2)]
    again = await api.sign_in(member.number, OWN, device_token=before.body["device_token"])
    assert [(await api.refresh(one.body["refresh_token"])).status for one in (before, elsewhere, again)] == [
        401,
        200,
        200,
    ]
    assert (await _list(api, before)).status == 401
    event = await backbone.wait_for("SessionsClosed", member.number)
    assert event.data.session_ids == (_session(before),)


async def test_the_list_shows_each_session_and_marks_the_one_that_asks(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    phone = await api.sign_in(member.number, OWN, device_name="Safari sur iPhone", trust_device=True)
    here = await api.sign_in(member.number, OWN, device_name="  Chrome\non http://evil.example/ <b> iOS 17.5 ")
    await _let_pass(infra, member, timedelta(minutes=10), fields=("opened_at",))
    await api.refresh(phone.body["refresh_token"])
    answer = await _list(api, here)
    assert (answer.status, answer.body["next_cursor"], answer.headers["cache-control"]) == (200, None, "no-store")
    mine, other, first = answer.body["items"]
    assert (mine["session_id"], mine["current"], mine["trusted"]) == (_session(here), True, False)
    assert mine["device_name"] == "Chrome on http evil example b iOS 17.5"
    assert (other["device_name"], other["current"], other["trusted"]) == ("Safari sur iPhone", False, True)
    assert (first["device_name"], first["current"]) == (None, False)  # of the first sign-in
    opened, seen = datetime.fromisoformat(other["opened_at"]), datetime.fromisoformat(other["last_seen_at"])
    assert timedelta(minutes=9) < seen - opened < timedelta(minutes=12)
    assert mine["opened_at"] == mine["last_seen_at"]


async def test_one_is_closed_at_once_and_nobody_elses_can_be(api: AuthApi, backbone: Backbone) -> None:
    member, stranger = [await with_member_number(api, backbone) for _ in range(2)]
    here, there = [await api.sign_in(member.number, OWN) for _ in range(2)]
    theirs = await api.sign_in(stranger.number, OWN)
    for nobodys in (_session(theirs), UNKNOWN_SESSION, "x"):
        answer = await _close(api, here, nobodys)
        assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert (await api.refresh(theirs.body["refresh_token"])).status == 200

    closed = await _close(api, here, _session(there))
    assert (closed.status, closed.body) == (204, {})
    assert (await api.refresh(there.body["refresh_token"])).status == 401
    assert (await _list(api, there)).status == 401
    assert (await _close(api, here, _session(there))).status == 404
    assert _session(there) not in [item["session_id"] for item in (await _list(api, here)).body["items"]]
    event = await backbone.wait_for("SessionsClosed", member.number, lambda data: _session(there) in data.session_ids)
    assert event.data.session_ids == (_session(there),)
    assert (await _close(api, here, _session(here))).status == 204  # as signing out
    assert (await _list(api, here)).status == 401


async def test_all_others_are_closed(api: AuthApi, backbone: Backbone) -> None:
    member = await with_member_number(api, backbone)
    here, *others = [await api.sign_in(member.number, OWN, trust_device=True) for _ in range(3)]
    assert (await api.call("DELETE", "/sessions", token=here.body["access_token"])).status == 204
    assert [item["session_id"] for item in (await _list(api, here)).body["items"]] == [_session(here)]
    assert [(await api.refresh(other.body["refresh_token"])).status for other in others] == [401, 401]
    assert (await api.call("DELETE", "/sessions", token=here.body["access_token"])).status == 204


async def test_before_the_first_steps_are_done_there_is_no_list(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    for method, path in (("GET", "/sessions"), ("DELETE", "/sessions"), ("DELETE", f"/sessions/{UNKNOWN_SESSION}")):
        answer = await api.call(method, path, token=signed_in.body["access_token"])
        assert (answer.status, answer.body["code"]) == (403, "required_action")


async def test_a_second_device_is_news_and_no_other_sign_in_is(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)  # it signed in once, for the first time
    there = await api.sign_in(member.email, OWN, device_name="Chrome sur Windows")
    event = await backbone.wait_for(NEWS, member.number)
    assert event.data.device == "Chrome sur Windows"
    assert abs(datetime.now(UTC) - event.data.at) < timedelta(minutes=2)
    assert event.data.expires_at - event.data.at == timedelta(days=7)
    assert backbone.opened(event, "close_token") not in str(event)

    known = there.body["device_token"]
    await api.sign_in(member.email, OWN, device_token=known)
    assert (await api.sign_in(member.email, "une autre phrase")).status == 401
    await ask(api, member, member.email)
    reset = await confirm(api, await link_token(backbone, member), "cinq moutons bleus")
    await api.sign_in(member.email, "cinq moutons bleus", device_token=reset.body["device_token"])
    await api.sign_in(member.email, "cinq moutons bleus", device_token="not known")
    await backbone.wait_for(NEWS, member.number, lambda data: data.device == "Appareil inconnu")
    assert len(backbone.of(member.number, NEWS)) == 2


async def test_the_mailed_link_closes_what_the_device_opened_forgets_it_and_starts_a_reset(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_address(api, backbone)
    mine = await api.sign_in(member.email, OWN)
    await backbone.wait_for(NEWS, member.number)
    theirs = await api.sign_in(member.email, OWN, device_name="Firefox sur Linux")
    event = await backbone.wait_for(NEWS, member.number, lambda data: data.device == "Firefox sur Linux")
    device = {"device_token": theirs.body["device_token"]}
    later = await api.sign_in(member.email, OWN, **device)  # known by now: no mail told of this one
    token = backbone.opened(event, "close_token")

    answer = await _press(api, token)
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (204, {}, "no-store")
    assert (await api.refresh(later.body["refresh_token"])).status == 401
    assert (await api.refresh(mine.body["refresh_token"])).status == 200
    await backbone.wait_for("SessionsClosed", member.number, lambda data: _session(later) in data.session_ids)
    reset = await link_token(backbone, member)
    again = await api.sign_in(member.email, OWN, **device, device_name="Firefox sur Linux")
    assert again.body["device_token"] != theirs.body["device_token"]
    await backbone.wait_for(NEWS, member.number, lambda data: data.close_token not in {event.data.close_token})

    used = await _press(api, token)
    assert (used.status, used.body["code"]) == (409, "link_used")
    assert (await confirm(api, reset)).status == 200


async def test_the_link_still_works_after_the_password_was_changed_on_the_new_device(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_address(api, backbone)
    theirs = await api.sign_in(member.email, OWN)
    token = backbone.opened(await backbone.wait_for(NEWS, member.number), "close_token")
    change = {"current_password": OWN, "new_password": "cinq moutons bleus"}
    access = theirs.body["access_token"]
    assert (await api.call("POST", "/account/password", change, token=access)).status == 204
    assert (await _press(api, token)).status == 204
    assert (await api.refresh(theirs.body["refresh_token"])).status == 401
    assert await link_token(backbone, member)


async def test_a_changed_password_leaves_only_the_device_known_that_did_it(api: AuthApi, backbone: Backbone) -> None:
    member, new = await with_address(api, backbone), "cinq moutons bleus"
    here, there = [(await api.sign_in(member.email, OWN)).body for _ in range(2)]
    change = {"current_password": OWN, "new_password": new}
    assert (await api.call("POST", "/account/password", change, token=here["access_token"])).status == 204
    again, elsewhere = [
        await api.sign_in(member.email, new, device_token=one["device_token"], device_name=name)
        for one, name in ((here, "ici"), (there, "ailleurs"))
    ]
    assert again.body["device_token"] == here["device_token"]
    assert elsewhere.body["device_token"] != there["device_token"]
    await backbone.wait_for(NEWS, member.number, lambda data: data.device == "ailleurs")
    assert "ici" not in [event.data.device for event in backbone.of(member.number, NEWS)]


async def test_without_an_activated_address_the_reset_is_a_letter(api: AuthApi, backbone: Backbone) -> None:
    member = await with_member_number(api, backbone)
    await api.sign_in(member.number, OWN)
    event = await backbone.wait_for(NEWS, member.number)
    assert (await _press(api, backbone.opened(event, "close_token"))).status == 204
    await backbone.wait_for("TemporaryPasswordIssued", member.number, lambda data: data.reason == "reset")


async def test_of_two_presses_at_once_exactly_one_counts(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    await api.sign_in(member.email, OWN)
    token = backbone.opened(await backbone.wait_for(NEWS, member.number), "close_token")
    answers = await asyncio.gather(*(_press(api, token) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [204, 409, 409, 409]


async def test_a_link_is_good_for_seven_days_and_an_unknown_one_is_over(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    signed_in = await api.sign_in(member.email, OWN)
    token = backbone.opened(await backbone.wait_for(NEWS, member.number), "close_token")
    await made_older(infra, member, "expires_at", timedelta(days=7), collection="close_links", key="member_number")
    for over in (token, "never-ours"):
        late = await _press(api, over)
        assert (late.status, late.body["code"]) == (410, "link_expired")
    assert (await api.refresh(signed_in.body["refresh_token"])).status == 200


async def test_a_close_link_is_stored_as_a_hash(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member = await with_address(api, backbone)
    await api.sign_in(member.email, OWN)
    token = backbone.opened(await backbone.wait_for(NEWS, member.number), "close_token")

    def stored() -> list[Any]:
        with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
            names = client["auth"].list_collection_names()
            return [row for name in names for row in client["auth"][name].find({}) if token in str(row)]

    assert await asyncio.to_thread(stored) == []


async def _press(api: AuthApi, token: str) -> Answer:
    return await api.call("POST", "/sessions/closures", {"token": token})


async def _list(api: AuthApi, signed_in: Answer) -> Answer:
    return await api.call("GET", "/sessions", token=signed_in.body["access_token"])


async def _close(api: AuthApi, signed_in: Answer, session_id: str) -> Answer:
    return await api.call("DELETE", f"/sessions/{session_id}", token=signed_in.body["access_token"])


def _session(signed_in: Answer) -> str:
    return str(token_claims(signed_in)["sid"])


def _lives(pair: Answer, time: timedelta) -> bool:
    """Whether the session ends that long from now, within the time a busy machine takes."""
    left = datetime.fromisoformat(pair.body["session_ends_at"]) - datetime.now(UTC)
    return time - timedelta(minutes=5) < left <= time


async def _let_pass(
    infra: RealServers,
    member: Signed,
    time: timedelta,
    *,
    idle: bool = True,
    fields: tuple[str, ...] = ("opened_at", "ends_at", "used_at"),
) -> None:
    """As if that time had passed; not `idle`: the member was active all along."""
    for field in (*fields, "expires_at") if idle and "ends_at" in fields else fields:
        await made_older(infra, member, field, time, collection="sessions", key="member_number")
