"""Signing in with a second factor: nothing is open before it, each code serves once, wrong ones are counted exactly."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, _IncludedRouter

from deploy.local.servers.program import Supervised
from services.auth.main import build
from services.auth.settings import AuthSettings
from shared.app import API_PREFIX
from shared.tokens import _any_token
from tests.services.auth.changing import confirmed
from tests.services.auth.counting import let_pass
from tests.services.auth.driver import AuthApi, Backbone
from tests.services.auth.factoring import codes_serve_again, half, row, show, turn_on, whole, with_app
from tests.services.auth.resetting import OWN, ask, confirm, link_token, token_claims, with_address
from tests.stack import RealServers

pytestmark = pytest.mark.servers

AT_ONCE = 100
HALF_MAY = {("POST", "/session/second-factor"), ("DELETE", "/session")}
"""What a sign-in that awaits its code may ask; a refresh needs no access token."""


async def test_nothing_is_open_before_the_code_and_a_refresh_keeps_that(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, app, _ = await with_app(api, backbone)
    await codes_serve_again(infra, member)
    opened = await half(api, member.number, trust_device=True)
    assert token_claims(opened)["required_actions"] == ["second_factor"]
    again = await api.refresh(opened.body["refresh_token"])
    assert (again.status, again.body["required_actions"]) == (200, ["second_factor"])
    session = await row(infra, "sessions", {"_id": token_claims(opened)["sid"]})
    assert session["expires_at"] - datetime.now(UTC) < timedelta(minutes=31), "trust counts from the code on"
    account = await row(infra, "accounts", {"_id": member.number})
    assert account["second_factor"]["asked_at"] >= session["opened_at"], "written, or a change meanwhile goes unseen"
    known = len(account["devices"])

    assert (await show(api, again.body["access_token"], code=app.code())).status == 204
    assert len((await row(infra, "accounts", {"_id": member.number}))["devices"]) == known + 1
    refreshed = await api.refresh(again.body["refresh_token"])
    assert refreshed.body["required_actions"] == []
    access = refreshed.body["access_token"]
    assert (await api.call("GET", "/account", token=access)).status == 200
    session = await row(infra, "sessions", {"_id": session["_id"]})
    assert session["expires_at"] == session["ends_at"]
    assert (await show(api, access, code=app.wrong())).status == 204, "it is done: nothing is looked at"

    device = {"device_token": opened.body["device_token"]}
    await half(api, member.number, **device)
    assert (await api.call("GET", "/account", token=access)).status == 200, "half a sign-in signs nobody out"
    await codes_serve_again(infra, member)
    await whole(api, member.number, app, **device)
    assert (await api.call("GET", "/account", token=access)).status == 401, "one session a device"


async def test_the_device_is_known_and_told_of_with_the_code_and_not_before(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, app, access = await with_app(api, backbone)
    await codes_serve_again(infra, member)
    await half(api, member.number, device_name="Firefox sur Linux")  # a thief's, that ends here
    opened = (await half(api, member.number, device_name="Chrome sur Windows")).body
    listed = (await api.call("GET", "/sessions", token=access)).body["items"]
    assert [each["current"] for each in listed] == [True], "half a sign-in is no signed-in device"
    assert (await show(api, opened["access_token"], code=app.code())).status == 204
    await backbone.wait_for("SignedInFromNewDevice", member.number, lambda data: data.device == "Chrome sur Windows")
    told = [event.data.device for event in backbone.of(member.number, "SignedInFromNewDevice")]
    assert "Firefox sur Linux" not in told
    await codes_serve_again(infra, member)
    await whole(api, member.number, app, device_token=opened["device_token"])  # known by now
    kinds = [event["kind"] for event in (await api.call("GET", "/activity", token=access)).body["items"]]
    first = ["new_device", "signed_in", "second_factor_asked", "second_factor_asked", "second_factor_added"]
    assert kinds[:7] == ["signed_in", "second_factor_asked", *first]


async def test_a_code_serves_once_of_two_at_the_same_time_too(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, app, _ = await with_app(api, backbone)
    await codes_serve_again(infra, member)
    tokens = [(await half(api, member.number)).body["access_token"] for _ in range(2)]
    code = app.code()
    answers = await asyncio.gather(*(show(api, token, code=code) for token in tokens))
    assert sorted(answer.status for answer in answers) == [204, 422]
    await let_pass(infra, timedelta(minutes=16))
    replayed = await show(api, (await half(api, member.number)).body["access_token"], code=code)
    assert (replayed.status, replayed.body["code"], replayed.body["attempts_left"]) == (422, "wrong_code", 1)


async def test_of_a_hundred_wrong_codes_at_once_as_many_are_looked_at_as_of_passwords(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    app = await turn_on(api, await confirmed(api, member.email))
    await codes_serve_again(infra, member)
    access = (await half(api, member.email)).body["access_token"]
    for malformed in ({"code": "12345"}, {"recovery_code": "rien"}, {}, {"code": "123456", "recovery_code": "A"}):
        assert (await show(api, access, **malformed)).body["code"] == "validation", "not counted"
    wrong = app.wrong()
    answers = await asyncio.gather(*(show(api, access, code=wrong) for _ in range(AT_ONCE)))
    assert sorted(answer.status for answer in answers) == [422] * 2 + [429] * (AT_ONCE - 2)
    assert sorted(answer.body["attempts_left"] for answer in answers) == [0] * (AT_ONCE - 1) + [1]
    await backbone.wait_for("SecondFactorChanged", member.number, lambda data: data.change == "codes_refused")

    # Neither another session, nor a recovery code, nor a new password has more of them.
    elsewhere = (await half(api, member.email, client="192.0.2.1")).body["access_token"]
    blocked = await show(api, elsewhere, recovery_code=app.recovery_codes[0])
    assert (blocked.status, blocked.body["code"], blocked.body["attempts_left"]) == (429, "too_many_requests", 0)
    assert 0 < int(blocked.headers["retry-after"]) <= 900
    await ask(api, member, member.email)
    assert (await confirm(api, await link_token(backbone, member), OWN)).status == 200
    reset = (await half(api, member.email)).body["access_token"]
    assert (await show(api, reset, code=app.code())).status == 429
    await let_pass(infra, timedelta(minutes=16))
    assert (await show(api, reset, code=app.code())).status == 204


async def test_a_recovery_code_serves_once_and_is_told_of(api: AuthApi, backbone: Backbone) -> None:
    member, app, _ = await with_app(api, backbone)
    first, code = (await half(api, member.number)).body, app.recovery_codes[3]
    assert (await show(api, first["access_token"], recovery_code=code.lower().replace("-", " "))).status == 204
    access = (await api.refresh(first["refresh_token"])).body["access_token"]
    left = (await api.call("GET", "/account/recovery-codes", token=access)).body
    assert (left["left"], left["made_at"] is not None) == (9, True)
    await backbone.wait_for("SecondFactorChanged", member.number, lambda data: data.change == "recovery_code_used")
    kinds = {event["kind"] for event in (await api.call("GET", "/activity", token=access)).body["items"]}
    assert {"recovery_code_used", "second_factor_added"} <= kinds
    again = await show(api, (await half(api, member.number)).body["access_token"], recovery_code=code)
    assert (again.status, again.body["errors"][0]["field"]) == (422, "recovery_code")


async def test_half_a_sign_in_is_refused_wherever_a_member_is_asked_for(
    api: AuthApi, backbone: Backbone, process: Supervised
) -> None:
    member, _, _ = await with_app(api, backbone)
    access = (await half(api, member.number)).body["access_token"]
    asked = set(_for_members(process.program.environment))
    assert asked > HALF_MAY
    assert len(asked) > 15
    for method, path in sorted(asked - HALF_MAY):
        answer = await api.call(method, path.replace("{", "").replace("}", ""), {}, token=access)
        assert (answer.status, answer.body.get("code")) == (403, "required_action"), (method, path)
    assert (await api.call("DELETE", "/session", token=access)).status == 204
    assert (await show(api, access, code="123456")).status == 401


def _for_members(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every method and path of auth's public API that takes an access token, from the application itself."""
    settings = AuthSettings.model_validate({name.lower(): value for name, value in environment.items()})
    routers = [route.original_router for route in build(settings).routes if isinstance(route, _IncludedRouter)]
    for route in itertools.chain.from_iterable(router.routes for router in routers):
        if isinstance(route, APIRoute) and _takes_token(route.dependant):
            yield from ((method, route.path.removeprefix(API_PREFIX)) for method in route.methods or ())


def _takes_token(dependant: Dependant) -> bool:
    return dependant.call is _any_token or any(map(_takes_token, dependant.dependencies))
