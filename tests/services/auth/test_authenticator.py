"""An authenticator app turned on and off, its recovery codes, a shorter password; and who else can end it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.deploy.command import run
from tests.services.auth.changing import confirmed, move, step_up, undo
from tests.services.auth.driver import Answer, AuthApi, Backbone
from tests.services.auth.factoring import (
    SHORT,
    App,
    begin,
    codes_serve_again,
    half,
    row,
    show,
    turn_on,
    whole,
    with_app,
)
from tests.services.auth.resetting import NEXT, OWN, confirm, link_token, made_older, with_address, with_member_number
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_it_is_turned_on_with_its_first_code_in_the_session_that_was_shown_the_secret(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    access, other = await confirmed(api, member.number), await confirmed(api, member.number)
    begun, again = await begin(api, access), await begin(api, access)
    assert (begun.status, begun.body, begun.headers["cache-control"]) == (201, again.body, "no-store")
    assert begun.body["uri"].endswith(f"secret={begun.body['secret']}&issuer=Plansant%C3%A9")
    assert f"{member.number[-4:]}?" in begun.body["uri"]
    assert member.number not in begun.body["uri"]
    app = App(begun.body["secret"], [])
    wrong = await _confirm(api, access, app.wrong())
    assert (wrong.status, wrong.body["code"], wrong.body["errors"][0]["field"]) == (422, "wrong_code", "code")
    elsewhere = await _confirm(api, other, app.code())
    assert (elsewhere.status, elsewhere.body["code"]) == (409, "totp_not_begun")
    assert (await api.call("GET", "/account/totp", token=access)).body == {"enabled": False, "since": None}

    done = await _confirm(api, access, f" {app.code()[:3]} {app.code()[3:]}")
    assert (done.status, len(done.body["recovery_codes"])) == (200, 10)
    view = (await api.call("GET", "/account/totp", token=access)).body
    assert (view["enabled"], view["since"] is not None) == (True, True)
    assert (await api.call("GET", "/account", token=other)).status == 401, "the other sessions are closed"
    assert (await _confirm(api, access, app.code())).body["code"] == "totp_not_begun"
    await backbone.wait_for("SecondFactorChanged", member.number, lambda data: data.change == "added")
    stored = str(await row(infra, "accounts", {"_id": member.number}))
    for secret in (app.secret, *done.body["recovery_codes"], done.body["recovery_codes"][0].replace("-", "")):
        assert secret not in stored


async def test_every_change_of_it_asks_for_a_confirmed_session(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, _, access = await with_app(api, backbone)
    ten = timedelta(minutes=10)
    await made_older(infra, member, "confirmed_until", ten, collection="sessions", key="member_number")
    for method, path in (("POST", "/account/totp"), ("DELETE", "/account/totp"), ("POST", "/account/recovery-codes")):
        refused = await api.call(method, path, {}, token=access)
        assert (refused.status, refused.body["code"]) == (403, "step_up_required"), (method, path)
    assert (await step_up(api, access)).status == 204
    assert (await api.call("DELETE", "/account/totp", token=access)).status == 204
    await backbone.wait_for("SecondFactorChanged", member.number, lambda data: data.change == "removed")
    assert (await api.sign_in(member.number, OWN)).body["required_actions"] == []
    for method, path in (("DELETE", "/account/totp"), ("POST", "/account/recovery-codes")):
        assert (await api.call(method, path, {}, token=access)).status == 404
    assert (await api.call("GET", "/account/recovery-codes", token=access)).body == {"left": 0, "made_at": None}


async def test_another_telephone_takes_the_place_of_the_first_and_new_codes_void_the_old(
    api: AuthApi, backbone: Backbone
) -> None:
    member, first, access = await with_app(api, backbone)
    second = await turn_on(api, access)
    made = await api.call("POST", "/account/recovery-codes", token=access)
    assert (made.status, len(made.body["recovery_codes"])) == (200, 10)
    opened = (await half(api, member.number)).body["access_token"]
    for old in (first.recovery_codes[0], second.recovery_codes[0]):
        assert (await show(api, opened, recovery_code=old)).status == 422
    member, first, access = await with_app(api, backbone)
    second = await turn_on(api, access)
    opened = (await half(api, member.number)).body["access_token"]
    assert (await show(api, opened, code=first.code(1))).status == 422
    assert (await show(api, opened, code=second.code(1))).status == 204


async def test_eight_characters_are_enough_beside_it_and_keep_it_on(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    access = await confirmed(api, member.number)
    assert (await api.call("GET", "/account", token=access)).body["password_min_length"] == 12
    alone = await _change(api, access, OWN, SHORT)
    assert (alone.status, alone.body["errors"][0]["detail"]) == (422, "At least 12 characters.")
    app = await turn_on(api, access)
    assert (await api.call("GET", "/account", token=access)).body["password_min_length"] == 8
    too_short = await _change(api, access, OWN, SHORT[:7])
    assert (too_short.status, too_short.body["errors"][0]["detail"]) == (422, "At least 8 characters.")
    assert (await _change(api, access, OWN, SHORT)).status == 204
    kept = await api.call("DELETE", "/account/totp", token=access)
    assert (kept.status, kept.body["code"]) == (409, "password_too_short")
    await codes_serve_again(infra, member)
    access = await whole(api, member.number, app, SHORT)
    assert (await step_up(api, access, SHORT)).status == 204
    assert (await _change(api, access, SHORT, NEXT)).status == 204
    assert (await api.call("DELETE", "/account/totp", token=access)).status == 204


async def test_an_operator_removes_it_and_a_password_that_is_too_short_for_that(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    access = await confirmed(api, member.email)
    assert await _portal(infra, member.number) == (2, "portal: no_second_factor: nothing was changed")
    await turn_on(api, access)
    assert (await _change(api, access, OWN, SHORT)).status == 204
    assert await _portal(infra, member.number) == (0, "order=remove_second_factor outcome=done")
    await backbone.wait_for("SecondFactorChanged", member.number, lambda data: data.change == "removed")
    assert (await api.call("GET", "/account", token=access)).status == 401
    assert (await api.sign_in(member.email, SHORT)).status == 401
    assert (await confirm(api, await link_token(backbone, member), NEXT)).status == 200
    assert (await api.sign_in(member.email, NEXT)).body["required_actions"] == []


async def test_the_old_mailbox_takes_back_what_was_added_since_the_change_and_nothing_older(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    new = f"autre.{member.number}@example.org"
    token = await move(api, backbone, member, member.email, new)
    await turn_on(api, await confirmed(api, new))  # the intruder's
    assert (await undo(api, token)).status == 200
    assert (await confirm(api, await link_token(backbone, member), NEXT)).status == 200
    assert (await api.sign_in(member.email, NEXT)).body["required_actions"] == []

    member = await with_address(api, backbone)
    access = await confirmed(api, member.email)
    app = await turn_on(api, access)
    await made_older(infra, member, "second_factor.since", timedelta(minutes=1))
    new = f"autre.{member.number}@example.org"
    token = await _move_in(api, backbone, member.number, access, new)
    assert (await api.call("POST", "/account/recovery-codes", token=access)).status == 200
    assert (await undo(api, token)).status == 200
    assert (await confirm(api, await link_token(backbone, member), NEXT)).status == 200
    await codes_serve_again(infra, member)
    access = await whole(api, member.email, app, NEXT)
    assert (await api.call("GET", "/account/recovery-codes", token=access)).body["left"] == 0


async def test_closing_a_new_device_removes_what_was_added_on_it(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    thief = await api.sign_in(member.email, OWN, device_name="Chez le voleur")
    access = thief.body["access_token"]
    assert (await step_up(api, access)).status == 204
    await turn_on(api, access)
    told = await backbone.wait_for("SignedInFromNewDevice", member.number, lambda d: d.device == "Chez le voleur")
    closing = {"token": backbone.opened(told, "close_token")}
    assert (await api.call("POST", "/sessions/closures", closing)).status == 204
    assert (await api.sign_in(member.email, OWN)).body["required_actions"] == []


async def _confirm(api: AuthApi, access: str, code: str) -> Answer:
    return await api.call("POST", "/account/totp", {"code": code}, token=access)


async def _change(api: AuthApi, access: str, current: str, new: str) -> Answer:
    body = {"current_password": current, "new_password": new}
    return await api.call("POST", "/account/password", body, token=access)


async def _move_in(api: AuthApi, backbone: Backbone, number: str, access: str, new: str) -> str:
    """Change the address to `new` in that session; the token that undoes it."""
    body = {"kind": "email", "email": new}
    assert (await api.call("POST", "/account/identifier", body, token=access)).status == 202
    asked = await backbone.wait_for("IdentifierChangeRequested", number, of_email=new)
    link = {"token": backbone.opened(asked, "activation_token")}
    assert (await api.call("POST", "/account/identifier/activation", link)).status == 200
    return backbone.opened(await backbone.wait_for("IdentifierChanged", number, of_email=new), "undo_token")


async def _portal(infra: RealServers, number: str) -> tuple[int, str]:
    order = ("deploy.cli", "account", "remove-second-factor", number, "--reason", "lost")
    done = await asyncio.to_thread(run, infra.operators(), *order)
    return done.returncode, (done.stdout + done.stderr).strip()
