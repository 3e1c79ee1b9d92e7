"""Passkeys on real servers: signing in and confirming with one, adding, naming and removing them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from tests.services.auth import keys
from tests.services.auth.authenticator import Authenticator
from tests.services.auth.changing import confirmed, moved, undo, wish
from tests.services.auth.driver import AuthApi, Backbone, enrol
from tests.services.auth.factoring import turn_on
from tests.services.auth.keys import told, with_passkey
from tests.services.auth.resetting import (
    NEXT,
    OWN,
    WRONG,
    ask,
    confirm,
    link_token,
    next_letter,
    token_claims,
    with_address,
    with_member_number,
)
from tests.stack import RealServers

pytestmark = pytest.mark.servers

REFUSED = (401, "passkey_refused")


@pytest.fixture
def device(infra: RealServers) -> Authenticator:
    return Authenticator(infra.environment("auth")["PORTAL_URL"])


def another(device: Authenticator) -> Authenticator:
    return Authenticator(device.origin)


async def test_a_passkey_signs_in_without_identifier_and_password(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member, access = await with_passkey(api, backbone, device)
    event = await backbone.wait_for("PasskeyAdded", member.number)
    assert abs(event.data.at - datetime.now(UTC)) < timedelta(minutes=1)
    before = datetime.now(UTC) + timedelta(days=29)
    answer = await keys.sign_in(api, device, device_name="Safari sur iPhone", trust_device=True)
    assert (answer.status, answer.body["required_actions"]) == (200, [])
    assert answer.headers["cache-control"] == "no-store"
    assert (token_claims(answer)["sub"], token_claims(answer)["required_actions"]) == (member.number, [])
    assert datetime.fromisoformat(answer.body["session_ends_at"]) > before
    there = str(answer.body["access_token"])
    account = (await api.call("GET", "/account", token=there)).body
    assert (account["member_number"], account["passkeys"], account["confirmed_until"]) == (member.number, 1, None)
    assert (await keys.kinds(api, there))[:2] == ["new_device", "signed_in"]
    await backbone.wait_for("SignedInFromNewDevice", member.number, lambda data: data.device == "Safari sur iPhone")
    again = await keys.sign_in(api, device, device_token=answer.body["device_token"])
    assert again.body["device_token"] == answer.body["device_token"]  # known, so no news
    assert (await keys.kinds(api, str(again.body["access_token"])))[0] == "signed_in"
    [listed] = await keys.passkeys(api, access)
    assert listed["used_at"] > listed["added_at"]


async def test_a_passkey_is_two_factors_by_itself(api: AuthApi, backbone: Backbone, device: Authenticator) -> None:
    member, access = await with_passkey(api, backbone, device)
    await turn_on(api, access)
    assert (await api.sign_in(member.number, OWN)).body["required_actions"] == ["second_factor"]
    answer = await keys.sign_in(api, device)
    assert (answer.status, answer.body["required_actions"]) == (200, [])
    assert (await api.call("GET", "/activity", token=str(answer.body["access_token"]))).status == 200
    assert (await api.refresh(answer.body["refresh_token"])).body["required_actions"] == []


async def test_what_is_wrong_with_it_is_not_told_but_recorded(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    _, access = await with_passkey(api, backbone, device)
    options = await keys.sign_in_options(api)
    good = device.sign(options)
    assert (await api.call("POST", "/session/passkey", {"credential": good})).status == 200
    replayed = await api.call("POST", "/session/passkey", {"credential": good})
    with_used_challenge = await api.call("POST", "/session/passkey", {"credential": device.sign(options)})
    forged = await keys.sign_in(api, replace(device, key=another(device).key))
    unknown = await keys.sign_in(api, another(device))
    rubbish = await api.call("POST", "/session/passkey", {"credential": {"id": "x"}})
    refused = [replayed, with_used_challenge, forged, unknown, rubbish]
    assert [told(answer) for answer in refused] == [REFUSED] * 5
    assert len({str({**answer.body, "request_id": ""}) for answer in refused}) == 1
    assert (await keys.kinds(api, access))[:4] == ["passkey_refused"] * 3 + ["new_device"]
    confirming = (await keys.step_up_options(api, access)).body["public_key"]
    assert told(await api.call("POST", "/session/passkey", {"credential": device.sign(confirming)})) == REFUSED
    device.counter -= 5
    assert told(await keys.sign_in(api, device)) == REFUSED  # a copy, or so it seems
    device.counter += 5
    assert (await keys.sign_in(api, device)).status == 200


async def test_two_answers_to_one_challenge_at_once_open_one_session(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    device.counts = False  # no counter helps
    await with_passkey(api, backbone, device)
    body = {"credential": device.sign(await keys.sign_in_options(api))}
    answers = await asyncio.gather(*(api.call("POST", "/session/passkey", body) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


async def test_a_block_of_the_password_stops_no_passkey_and_a_passkey_lifts_none(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member, _ = await with_passkey(api, backbone, device)
    for _ in range(2):
        await api.sign_in(member.number, WRONG)
    assert (await keys.sign_in(api, device)).status == 200
    assert (await api.sign_in(member.number, OWN)).body["code"] == "sign_in_blocked"


async def test_a_session_is_confirmed_by_a_passkey_of_its_member_made_for_that(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member, _ = await with_passkey(api, backbone, device)
    access = str((await api.sign_in(member.number, OWN)).body["access_token"])
    new = {"kind": "email", "email": f"neuve.{member.number}@example.org"}
    assert told(await wish(api, access, **new)) == (403, "step_up_required")
    options = (await keys.step_up_options(api, access)).body["public_key"]
    assert [allowed["id"] for allowed in options["allowCredentials"]] == [device.id]
    elsewhere = str((await api.sign_in(member.number, OWN)).body["access_token"])
    strange = another(device)
    await with_passkey(api, backbone, strange)
    for wrong in (
        await keys.step_up(api, elsewhere, device.sign(options)),
        await keys.step_up(api, access, strange.sign(options)),
        await keys.step_up(api, access, device.sign(await keys.sign_in_options(api))),
    ):
        assert told(wrong) == (422, "passkey_refused")
    assert (await keys.kinds(api, access))[:3] == ["passkey_refused"] * 3
    assert told(await wish(api, access, **new)) == (403, "step_up_required")
    good = device.sign(options)
    assert (await keys.step_up(api, access, good)).status == 204
    assert told(await keys.step_up(api, access, good)) == (422, "passkey_refused")
    assert (await wish(api, access, **new)).status == 202
    for body in ({}, {"password": OWN, "passkey": good}):
        assert (await api.call("POST", "/session/step-up", body, token=access)).status == 422
    without = await confirmed(api, (await with_member_number(api, backbone)).number)
    assert (await keys.step_up_options(api, without)).status == 404


async def test_adding_needs_a_confirmed_session_and_its_own_challenge(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member = await with_member_number(api, backbone)
    unconfirmed = str((await api.sign_in(member.number, OWN)).body["access_token"])
    assert told(await api.call("POST", "/account/passkeys/options", token=unconfirmed)) == (403, "step_up_required")
    access = await confirmed(api, member.number)
    first, second = await keys.creation(api, access), await keys.creation(api, access)
    assert first["user"]["id"] == second["user"]["id"] != ""
    assert member.number not in first["user"]["id"]
    made = {"credential": device.make(first)}
    for wrong in (
        await api.call("POST", "/account/passkeys", made, token=unconfirmed),
        await api.call("POST", "/account/passkeys", made, token=await confirmed(api, member.number)),
        await api.call("POST", "/account/passkeys", {"credential": device.make({**first, **_other()})}, token=access),
    ):
        assert wrong.body["code"] in {"step_up_required", "passkey_refused"}
    added = await api.call("POST", "/account/passkeys", {**made, "name": " Mon  téléphone <b> "}, token=access)
    assert (added.status, added.body["name"], added.body["used_at"]) == (201, "Mon téléphone b", None)
    assert told(await api.call("POST", "/account/passkeys", made, token=access)) == (422, "passkey_refused")
    again = await api.call("POST", "/account/passkeys", {"credential": device.make(second)}, token=access)
    assert told(again) == (422, "passkey_refused")  # the device's key is known already
    assert (await keys.kinds(api, access))[0] == "passkey_added"


def _other() -> dict[str, Any]:
    """A challenge that nobody made here."""
    return {"challenge": "AAAA"}


async def test_ten_are_enough_and_each_is_named_and_removed_by_its_member_alone(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member, access = await with_passkey(api, backbone, device)
    prepared = [{"credential": another(device).make(await keys.creation(api, access))} for _ in range(10)]
    answers = await asyncio.gather(*(api.call("POST", "/account/passkeys", body, token=access) for body in prepared))
    assert sorted(answer.status for answer in answers) == [201] * 9 + [409]
    full = await api.call("POST", "/account/passkeys/options", token=access)
    assert told(full) == (409, "too_many_passkeys")
    listed = await keys.passkeys(api, access)
    assert len(listed) == 10
    path, never = (
        f"/account/passkeys/{one}" for one in (listed[0]["passkey_id"], "019a9e4e-0000-7000-8000-000000000000")
    )

    stranger = await confirmed(api, (await with_member_number(api, backbone)).number)
    for where, token in ((path, stranger), (never, access)):
        assert (await api.call("PATCH", where, {"name": "À moi"}, token=token)).status == 404
        assert (await api.call("DELETE", where, token=token)).status == 404
    renamed = await api.call("PATCH", path, {"name": "Clé_USB"}, token=access)
    assert (renamed.status, renamed.body["name"]) == (200, "Clé USB")
    for name in ("", "<>", "x" * 61):
        assert (await api.call("PATCH", path, {"name": name}, token=access)).status == 422

    opened = str((await keys.sign_in(api, device)).body["access_token"])
    unconfirmed = str((await api.sign_in(member.number, OWN)).body["access_token"])
    assert told(await api.call("DELETE", path, token=unconfirmed)) == (403, "step_up_required")
    assert (await api.call("DELETE", path, token=access)).status == 204
    assert [(await api.call("GET", "/account", token=token)).status for token in (opened, unconfirmed)] == [401, 200]
    assert told(await keys.sign_in(api, device)) == REFUSED
    assert "passkey_removed" in await keys.kinds(api, access)


async def test_they_are_offered_until_there_is_one_or_it_was_put_off(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member = await with_member_number(api, backbone)
    access = str((await api.sign_in(member.number, OWN)).body["access_token"])
    assert (await api.call("GET", "/account", token=access)).body["offer_passkey"] is True
    assert (await api.call("POST", "/account/passkeys/not-now", token=access)).status == 204
    assert (await api.call("GET", "/account", token=access)).body["offer_passkey"] is False
    _, other = await with_passkey(api, backbone, device)
    assert (await api.call("GET", "/account", token=other)).body["offer_passkey"] is False


async def test_with_a_password_that_was_lost_every_passkey_ends(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member = await with_address(api, backbone)
    access = await confirmed(api, member.email)
    assert (await keys.add(api, access, device)).status == 201
    change = {"current_password": OWN, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", change, token=access)).status == 204
    assert (await keys.sign_in(api, device)).status == 200  # a password that is known ends none
    assert (await ask(api, member, member.email)).status == 202
    assert (await confirm(api, await link_token(backbone, member), OWN)).status == 200
    assert told(await keys.sign_in(api, device)) == REFUSED

    by_letter, access = await with_passkey(api, backbone, another_device := another(device))
    letter = backbone.opened(await next_letter(api, backbone, by_letter, "reset"), "password")
    access = str((await api.sign_in(by_letter.number, letter)).body["access_token"])
    assert (await keys.sign_in(api, another_device)).status == 200
    change = {"current_password": letter, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", change, token=access)).status == 204
    assert told(await keys.sign_in(api, another_device)) == REFUSED


async def test_the_owner_of_the_old_mailbox_ends_the_intruders_passkeys(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    _, new, token = await moved(api, backbone)
    assert (await keys.add(api, await confirmed(api, new), device)).status == 201
    assert (await undo(api, token)).status == 200
    assert told(await keys.sign_in(api, device)) == REFUSED


async def test_closing_a_new_device_ends_the_passkeys_that_were_added_on_it(
    api: AuthApi, backbone: Backbone, device: Authenticator
) -> None:
    member = await with_address(api, backbone)
    assert (await keys.add(api, await confirmed(api, member.email), own := another(device))).status == 201
    assert (await keys.add(api, await confirmed(api, member.email, on="Chez le voleur"), device)).status == 201
    told_of = await backbone.wait_for("SignedInFromNewDevice", member.number, lambda d: d.device == "Chez le voleur")
    closing = {"token": backbone.opened(told_of, "close_token")}
    assert (await api.call("POST", "/sessions/closures", closing)).status == 204
    assert told(await keys.sign_in(api, device)) == REFUSED
    assert (await keys.sign_in(api, own)).status == 200


async def test_a_member_of_another_insurer_comes_in_no_more_than_by_password(
    api: AuthApi, backbone: Backbone, infra: RealServers, device: Authenticator
) -> None:
    member, _ = await with_passkey(api, backbone, device)
    await asyncio.to_thread(_moved_to_another_insurer, infra, member.number)
    assert told(await keys.sign_in(api, device)) == REFUSED


def _moved_to_another_insurer(infra: RealServers, number: str) -> None:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        client["auth"]["accounts"].update_one({"_id": number}, {"$set": {"insurer": "another"}})


async def test_nobody_has_one_before_the_first_steps_are_done(api: AuthApi, backbone: Backbone) -> None:
    newcomer = await enrol(backbone)
    access = str((await api.sign_in(newcomer.nir, newcomer.temporary_password)).body["access_token"])
    for method, path, body in (
        ("GET", "/account/passkeys", None),
        ("POST", "/account/passkeys/options", None),
        ("POST", "/account/passkeys", {"credential": {}}),
        ("POST", "/account/passkeys/not-now", None),
        ("POST", "/session/step-up/options", None),
    ):
        assert told(await api.call(method, path, body, token=access)) == (403, "required_action")
        assert (await api.call(method, path, body)).status == 401
