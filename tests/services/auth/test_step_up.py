"""Confirming again who one is: the password, few tries, some minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.services.auth.changing import step_up, wish
from tests.services.auth.driver import AuthApi, Backbone, enrol
from tests.services.auth.resetting import NEXT, OWN, WRONG, made_older, next_letter, with_member_number
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_a_session_is_confirmed_for_ten_minutes_and_no_other_session_with_it(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    address = f"neuve.{member.number}@example.org"
    here, there = [str((await api.sign_in(member.number, OWN)).body["access_token"]) for _ in range(2)]
    before = await wish(api, here, kind="email", email=address)
    assert (before.status, before.body["code"]) == (403, "step_up_required")
    done = await step_up(api, here)
    assert (done.status, done.body, done.headers["cache-control"]) == (204, {}, "no-store")
    until = datetime.fromisoformat((await api.call("GET", "/account", token=here)).body["confirmed_until"])
    assert timedelta(minutes=9) < until - datetime.now(UTC) <= timedelta(minutes=10)
    assert (await api.call("GET", "/account", token=there)).body["confirmed_until"] is None
    assert (await wish(api, there, kind="email", email=address)).status == 403
    assert (await wish(api, here, kind="email", email=address)).status == 202
    ten = timedelta(minutes=10)
    await made_older(infra, member, "confirmed_until", ten, collection="sessions", key="member_number")
    assert (await wish(api, here, kind="email", email=address)).body["code"] == "step_up_required"


async def test_wrong_passwords_are_counted_with_those_of_a_change_of_the_password(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_member_number(api, backbone)
    access = str((await api.sign_in(member.number, OWN)).body["access_token"])
    first = await step_up(api, access, WRONG)
    assert (first.status, first.body["code"], first.body["attempts_left"]) == (422, "wrong_password", 1)
    assert [(error["field"], error["code"]) for error in first.body["errors"]] == [("password", "wrong_password")]
    assert WRONG not in str(first.body)
    change = {"current_password": WRONG, "new_password": NEXT}
    second = await api.call("POST", "/account/password", change, token=access)
    assert (second.status, second.body["attempts_left"]) == (422, 0)
    blocked = await step_up(api, access)  # the right one
    assert (blocked.status, blocked.body["code"], blocked.body["attempts_left"]) == (429, "too_many_requests", 0)
    assert 0 < int(blocked.headers["retry-after"]) <= 900
    assert (await api.sign_in(member.number, OWN)).status == 200  # signing in is another counter


async def test_whoever_must_do_something_first_confirms_nothing(api: AuthApi, backbone: Backbone) -> None:
    newcomer = await enrol(backbone)
    access = str((await api.sign_in(newcomer.nir, newcomer.temporary_password)).body["access_token"])
    refused = await step_up(api, access, newcomer.temporary_password)
    assert (refused.status, refused.body["code"]) == (403, "required_action")
    member = await with_member_number(api, backbone)
    letter = backbone.opened(await next_letter(api, backbone, member, "reset"), "password")
    access = str((await api.sign_in(member.number, letter)).body["access_token"])
    for answer in (await step_up(api, access, letter), await wish(api, access, kind="member_number")):
        assert (answer.status, answer.body["code"]) == (403, "required_action")


async def test_nobody_is_asked_without_a_session(api: AuthApi) -> None:
    answer = await api.call("POST", "/session/step-up", {"password": OWN})
    assert (answer.status, answer.body["code"]) == (401, "unauthenticated")
