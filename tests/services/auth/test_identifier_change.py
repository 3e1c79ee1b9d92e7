"""Another identifier after the first: confirmed first, told to the old address, undone from there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.services.auth.changing import confirmed, move, moved, press, undo, wish
from tests.services.auth.driver import AuthApi, Backbone, enrol
from tests.services.auth.resetting import (
    NEXT,
    OWN,
    ask,
    confirm,
    link_token,
    made_older,
    with_address,
    with_member_number,
)
from tests.stack import RealServers

pytestmark = pytest.mark.servers

THIRD = "six canards jaunes"


async def test_until_the_link_is_pressed_everything_stays_and_then_the_old_address_is_over(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_address(api, backbone)
    new = f"autre.{member.number}@example.org"
    elsewhere = await api.sign_in(member.email, OWN)
    access = await confirmed(api, member.email)
    consents = {"statements": True, "management_information": True}
    asked = await wish(api, access, kind="email", email=new, consents=consents)
    assert (asked.status, asked.body) == (202, {"status": "activation_sent"})
    account = (await api.call("GET", "/account", token=access)).body
    assert (account["email_masked"], account["pending_email_masked"]) == ("l***@example.org", "a***@example.org")
    assert (account["identifier_kind"], account["required_actions"]) == ("email", [])
    assert (await api.refresh(elsewhere.body["refresh_token"])).status == 200
    assert (await api.sign_in(new, OWN)).status == 401

    assert (await press(api, backbone, member, new)).status == 200
    changed = await backbone.wait_for("IdentifierChanged", member.number, of_email=new)
    assert (changed.data.kind, changed.data.email_activated, changed.data.consents) == ("email", True, None)
    assert backbone.opened(changed, "previous_email") == member.email
    assert timedelta(days=6) < changed.data.undo_expires_at - datetime.now(UTC) <= timedelta(days=7)
    assert (await api.sign_in(member.email, OWN)).status == 401
    assert (await api.sign_in(new, OWN)).status == 200
    # Every session but the one that asked.
    assert (await api.call("GET", "/account", token=elsewhere.body["access_token"])).status == 401
    account = (await api.call("GET", "/account", token=access)).body
    assert (account["email_masked"], account["pending_email_masked"]) == ("a***@example.org", None)
    assert await backbone.wait_for("SessionsClosed", member.number, lambda data: data.session_ids is not None)


async def test_the_member_number_is_in_force_at_once_and_the_address_stays_for_contact(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_address(api, backbone)
    elsewhere = await api.sign_in(member.email, OWN)
    access = await confirmed(api, member.email)
    answer = await wish(api, access, kind="member_number")
    assert (answer.status, answer.body) == (200, {"status": "active"})
    changed = await backbone.wait_for("IdentifierChanged", member.number, lambda data: data.kind == "member_number")
    assert backbone.opened(changed, "email") == member.email
    assert (changed.data.email_activated, changed.data.previous_email, changed.data.undo_token) == (True, None, None)
    assert (await api.sign_in(member.email, OWN)).status == 401
    assert (await api.sign_in(member.number, OWN)).status == 200
    assert (await api.call("GET", "/account", token=elsewhere.body["access_token"])).status == 401
    assert (await api.call("GET", "/account", token=access)).status == 200

    # And back: no address is given, none is replaced.
    assert (await wish(api, access, kind="email")).status == 202
    requests = backbone.of(member.number, "IdentifierChangeRequested")
    while len(requests := backbone.of(member.number, "IdentifierChangeRequested")) < 2:
        await backbone.one_more("IdentifierChangeRequested", member.number)
    token = {"token": backbone.opened(requests[1], "activation_token")}
    assert (await api.call("POST", "/account/identifier/activation", token)).status == 200
    while len(changes := backbone.of(member.number, "IdentifierChanged")) < 3:
        await backbone.one_more("IdentifierChanged", member.number)
    assert (changes[2].data.kind, changes[2].data.previous_email) == ("email", None)
    assert (await api.sign_in(member.email, OWN)).status == 200


async def test_an_address_that_was_never_activated_gets_no_notice(api: AuthApi, backbone: Backbone) -> None:
    member = await with_member_number(api, backbone)
    new = f"autre.{member.number}@example.org"
    access = await confirmed(api, member.number)
    assert (await wish(api, access, kind="email", email=new)).status == 202
    assert (await press(api, backbone, member, new)).status == 200
    changed = await backbone.wait_for("IdentifierChanged", member.number, of_email=new)
    assert (changed.data.previous_email, changed.data.undo_token, changed.data.undo_expires_at) == (None, None, None)


async def test_a_request_is_given_up_or_replaced_and_its_links_with_it(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    new = f"autre.{member.number}@example.org"
    access = await confirmed(api, member.email)
    assert (await api.call("DELETE", "/account/identifier/activation", token=access)).status == 404
    assert (await wish(api, access, kind="email", email=new)).status == 202
    assert (await api.call("POST", "/account/identifier/activation/resend", token=access)).status == 202
    assert (await api.call("DELETE", "/account/identifier/activation", token=access)).status == 204
    given_up = await press(api, backbone, member, new)
    assert (given_up.status, given_up.body["code"]) == (410, "link_expired")
    assert (await api.call("GET", "/account", token=access)).body["pending_email_masked"] is None
    same = await wish(api, access, kind="email", email=member.email.upper())
    assert [(error["field"], error["code"]) for error in same.body["errors"]] == [("email", "unchanged")]
    newcomer = await enrol(backbone)
    first = await api.sign_in(newcomer.nir, newcomer.temporary_password)
    refused = await api.call("DELETE", "/account/identifier/activation", token=first.body["access_token"])
    assert (refused.status, refused.body["code"]) == (403, "required_action")


async def test_links_to_reset_the_password_die_with_the_address_they_were_mailed_to(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    token = await link_token(backbone, member)
    await move(api, backbone, member, member.email, f"autre.{member.number}@example.org")
    dead = await confirm(api, token)
    assert (dead.status, dead.body["code"]) == (410, "link_expired")


async def test_the_owner_of_the_old_mailbox_gets_the_account_back_and_the_intruder_is_out(
    api: AuthApi, backbone: Backbone
) -> None:
    member, new, token = await moved(api, backbone)
    intruder = await api.sign_in(new, OWN)
    change = {"current_password": OWN, "new_password": NEXT}
    access = intruder.body["access_token"]
    assert (await api.call("POST", "/account/password", change, token=access)).status == 204
    await ask(api, member, new)
    theirs = await link_token(backbone, member)
    further = f"encore.{member.number}@example.org"
    assert (await api.call("POST", "/session/step-up", {"password": NEXT}, token=access)).status == 204
    assert (await wish(api, access, kind="email", email=further)).status == 202

    done = await undo(api, token)
    assert (done.status, done.body) == (200, {"status": "active"})
    back = await backbone.wait_for("IdentifierChanged", member.number, lambda d: d.previous_email and not d.undo_token)
    assert (backbone.opened(back, "email"), backbone.opened(back, "previous_email")) == (member.email, new)
    await backbone.wait_for("SessionsClosed", member.number, lambda data: data.all_before is not None)
    assert (await api.refresh(intruder.body["refresh_token"])).status == 401
    assert (await api.call("GET", "/account", token=access)).status == 401
    assert (await api.sign_in(new, NEXT)).status == 401
    assert (await api.sign_in(member.email, NEXT)).status == 401  # the intruder knows it
    assert (await press(api, backbone, member, further)).body["code"] == "link_expired"
    assert (await confirm(api, theirs, THIRD)).body["code"] == "link_expired"

    # One was mailed minutes ago, to the intruder: it does not count.
    mine = await link_token(backbone, member, other_than=theirs)
    assert (await confirm(api, mine, THIRD)).status == 200
    signed_in = await api.sign_in(member.email, THIRD)
    assert (signed_in.status, signed_in.body["required_actions"]) == (200, [])
    used = await undo(api, token)
    assert (used.status, used.body["code"]) == (409, "link_used")


async def test_the_first_address_comes_back_over_all_that_was_done_since(api: AuthApi, backbone: Backbone) -> None:
    member, second, token = await moved(api, backbone)
    third = f"encore.{member.number}@example.org"
    their_token = await move(api, backbone, member, second, third)
    assert (await undo(api, token)).status == 200
    late = await undo(api, their_token)
    assert (late.status, late.body["code"]) == (410, "link_expired")
    await link_token(backbone, member)
    account_is = [(await api.sign_in(address, OWN)).status for address in (second, third)]
    assert account_is == [401, 401]


async def test_the_member_number_comes_back_where_it_was_the_identifier(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    assert (await wish(api, await confirmed(api, member.email), kind="member_number")).status == 200
    new = f"autre.{member.number}@example.org"
    access = await confirmed(api, member.number)
    assert (await wish(api, access, kind="email", email=new)).status == 202
    assert (await press(api, backbone, member, new)).status == 200
    changed = await backbone.wait_for("IdentifierChanged", member.number, of_email=new)
    assert (await undo(api, backbone.opened(changed, "undo_token"))).status == 200
    assert (await confirm(api, await link_token(backbone, member))).status == 200
    assert (await api.sign_in(member.number, NEXT)).status == 200
    assert (await api.sign_in(member.email, NEXT)).status == 401


async def test_an_old_address_that_signs_another_account_in_stays_there(api: AuthApi, backbone: Backbone) -> None:
    member, new, token = await moved(api, backbone)
    other = await with_member_number(api, backbone)
    access = await confirmed(api, other.number)
    assert (await wish(api, access, kind="email", email=member.email)).status == 202
    assert (await press(api, backbone, other, member.email)).status == 200
    taken = await undo(api, token)
    assert (taken.status, taken.body["code"]) == (409, "identifier_taken")
    signed_in = await api.sign_in(member.email, OWN)
    account = await api.call("GET", "/account", token=signed_in.body["access_token"])
    assert account.body["member_number"] == other.number
    assert (await api.sign_in(new, OWN)).status == 200


async def test_an_undo_link_is_good_for_seven_days(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member, new, token = await moved(api, backbone)
    week = timedelta(days=7)
    await made_older(infra, member, "expires_at", week, collection="undo_links", key="member_number")
    for late in (await undo(api, token), await undo(api, "never-ours")):
        assert (late.status, late.body["code"]) == (410, "link_expired")
    assert (await api.sign_in(new, OWN)).status == 200


async def test_of_two_presses_at_once_exactly_one_counts(api: AuthApi, backbone: Backbone) -> None:
    member, _, token = await moved(api, backbone)
    answers = await asyncio.gather(*(undo(api, token) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    await link_token(backbone, member)
