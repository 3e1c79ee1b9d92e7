"""An address is confirmed by a mailed link: what a link is good for, how many go out, whose the address is then."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.services.auth.choosing import activation_token, choose_email, first_token
from tests.services.auth.driver import Answer, AuthApi, Backbone, enrol
from tests.services.auth.resetting import OWN, made_older, without_ids
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_an_address_is_confirmed_by_the_mailed_link_and_ends_the_nir(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    answer = await choose_email(api, signed_in.body["access_token"])
    assert (answer.status, answer.body) == (202, {"status": "activation_sent"})

    requested = await backbone.wait_for("IdentifierChangeRequested", member.number)
    assert backbone.opened(requested, "email") == member.email
    refreshed = await api.refresh(signed_in.body["refresh_token"])
    assert refreshed.body["required_actions"] == ["confirm_identifier"]
    waiting = await api.sign_in(member.nir, OWN)
    assert waiting.body["required_actions"] == ["confirm_identifier"]
    assert (await api.sign_in(member.email, OWN)).status == 401

    token = backbone.opened(requested, "activation_token")
    pressed = await api.call("POST", "/account/identifier/activation", {"token": token})
    assert (pressed.status, pressed.body) == (200, {"status": "active"})
    changed = await backbone.wait_for("IdentifierChanged", member.number)
    assert backbone.opened(changed, "email") == member.email
    assert changed.data.email_activated
    assert changed.data.consents.model_dump() == {"statements": False, "management_information": False}

    assert (await api.sign_in(member.nir, OWN, client="198.51.100.1")).status == 401
    later = await api.sign_in(member.email.upper(), OWN)
    assert (later.status, later.body["required_actions"]) == (200, [])
    account = await api.call("GET", "/account", token=later.body["access_token"])
    assert account.body["identifier_kind"] == "email"


async def test_a_link_is_good_once(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    await choose_email(api, await first_token(api, member))
    token = await activation_token(backbone, member)
    first, second = [await api.call("POST", "/account/identifier/activation", {"token": token}) for _ in range(2)]
    assert first.status == 200
    assert (second.status, second.body["code"]) == (409, "link_used")


async def test_an_unknown_link_is_expired(api: AuthApi) -> None:
    answer = await api.call("POST", "/account/identifier/activation", {"token": "never-ours"})
    assert (answer.status, answer.body["code"]) == (410, "link_expired")


async def test_an_expired_link_still_leads_to_the_confirmation_and_to_another_link(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    await choose_email(api, await first_token(api, member))
    first = await activation_token(backbone, member)
    day = timedelta(hours=24)
    await made_older(infra, member, "expires_at", day, collection="activation_links", key="member_number")
    late = await api.call("POST", "/account/identifier/activation", {"token": first})
    assert (late.status, late.body["code"]) == (410, "link_expired")
    resumed = await api.sign_in(member.nir, OWN)  # in another browser, days later
    assert resumed.body["required_actions"] == ["confirm_identifier"]
    assert (await _resend(api, resumed.body["access_token"])).status == 202
    second = await activation_token(backbone, member, other_than=first)
    assert (await api.call("POST", "/account/identifier/activation", {"token": second})).status == 200
    assert (await api.refresh(resumed.body["refresh_token"])).body["required_actions"] == []


async def test_whether_an_address_signs_another_account_in_only_its_mailbox_learns(
    api: AuthApi, backbone: Backbone
) -> None:
    owner, other = await enrol(backbone), await enrol(backbone)
    await choose_email(api, await first_token(api, owner))
    link = await activation_token(backbone, owner)
    assert (await api.call("POST", "/account/identifier/activation", {"token": link})).status == 200
    access, answers = await first_token(api, other), []
    free = {"kind": "email", "email": f"libre.{other.number}@example.org"}
    for body in (free | {"new_password": OWN}, {"kind": "email", "email": owner.email}):
        answers.append(await api.call("POST", "/account/identifier", body, token=access))
    assert without_ids(answers[0]) == without_ids(answers[1])
    told = await backbone.wait_for("IdentifierChangeRequested", other.number, lambda d: d.activation_token is None)
    assert backbone.opened(told, "email") == owner.email


async def test_a_resend_leaves_the_older_link_good(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await first_token(api, member)
    await choose_email(api, access)
    first = await activation_token(backbone, member)
    resent = await api.call("POST", "/account/identifier/activation/resend", token=access)
    assert resent.status == 202
    second = await activation_token(backbone, member, other_than=first)
    requests = backbone.of(member.number, "IdentifierChangeRequested")
    assert len({event.data.request_id for event in requests}) == 1
    assert (await api.call("POST", "/account/identifier/activation", {"token": first})).status == 200
    other = await api.call("POST", "/account/identifier/activation", {"token": second})
    assert other.body["code"] == "link_used"


async def test_a_new_choice_voids_the_older_link(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await first_token(api, member)
    await choose_email(api, access)
    first = await activation_token(backbone, member)
    other_address = f"autre.{member.number}@example.org"
    again = await api.call("POST", "/account/identifier", {"kind": "email", "email": other_address}, token=access)
    assert again.status == 202
    second = await activation_token(backbone, member, other_than=first)
    voided = await api.call("POST", "/account/identifier/activation", {"token": first})
    assert (voided.status, voided.body["code"]) == (410, "link_expired")
    assert (await api.call("POST", "/account/identifier/activation", {"token": second})).status == 200
    assert (await api.sign_in(other_address, OWN)).status == 200


async def test_the_member_number_can_be_chosen_instead_of_confirming(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await first_token(api, member)
    await choose_email(api, access)
    link = await activation_token(backbone, member)
    assert (await api.call("POST", "/account/identifier", {"kind": "member_number"}, token=access)).status == 200
    assert (await api.sign_in(member.number, OWN)).body["required_actions"] == []
    pressed = await api.call("POST", "/account/identifier/activation", {"token": link})
    assert pressed.body["code"] == "link_expired"


async def test_two_members_may_ask_for_one_address_and_the_first_to_press_has_it(
    api: AuthApi, backbone: Backbone
) -> None:
    first = await enrol(backbone)
    second = await enrol(backbone, email=first.email)
    second_access = await first_token(api, second)
    for access in (await first_token(api, first), second_access):
        assert (await choose_email(api, access)).status == 202
    links = [await activation_token(backbone, member) for member in (first, second)]
    answers = [await api.call("POST", "/account/identifier/activation", {"token": link}) for link in links]
    assert [answer.status for answer in answers] == [200, 409]
    assert answers[1].body["code"] == "identifier_taken"

    resent = await api.call("POST", "/account/identifier/activation/resend", token=second_access)
    assert resent.status == 202  # the answer tells nothing about the other account
    taken = await backbone.wait_for("IdentifierChangeRequested", second.number, lambda d: d.activation_token is None)
    assert backbone.opened(taken, "email") == first.email
    signed_in = await api.sign_in(first.email, OWN)
    account = await api.call("GET", "/account", token=signed_in.body["access_token"])
    assert account.body["member_number"] == first.number


async def test_mails_with_links_are_limited_in_an_hour_and_in_a_day(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    access = await first_token(api, member)
    await choose_email(api, access)
    sent = 1
    for hour in range(4):
        answers = await asyncio.gather(*(_resend(api, access) for _ in range(4)))
        sent += [answer.status for answer in answers].count(202)
        assert sent == min(3 * (hour + 1), 10)  # however many are asked for at once
        [refused, *_] = [answer for answer in answers if answer.status == 429]
        assert refused.body["code"] == "too_many_requests"
        wait_s = int(refused.headers["retry-after"])
        assert 3500 < wait_s <= 3600 if hour < 3 else 20 * 3600 < wait_s <= 21 * 3600
        hour_ago = timedelta(hours=1)
        await made_older(infra, member, "created_at", hour_ago, collection="activation_links", key="member_number")


async def test_a_resend_without_a_request_is_not_found(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    answer = await api.call("POST", "/account/identifier/activation/resend", token=await first_token(api, member))
    assert (answer.status, answer.body["code"]) == (404, "not_found")


async def _resend(api: AuthApi, access_token: str) -> Answer:
    return await api.call("POST", "/account/identifier/activation/resend", token=access_token)
