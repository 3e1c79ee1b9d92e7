"""A lost password: asked by anybody, answered alike, set once by the mailed link or by a letter's password."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.servers.program import Supervised
from services.auth.passwords import generate_temporary
from tests.services.auth.counting import HASHES
from tests.services.auth.driver import AuthApi, Backbone, enrol, some_network
from tests.services.auth.resetting import (
    NEXT,
    OWN,
    STEP_S,
    WRONG,
    ask,
    choose,
    confirm,
    link_token,
    made_older,
    next_letter,
    rows_written,
    shape_of,
    solved,
    token_claims,
    with_address,
    with_key,
    with_member_number,
    without_ids,
)
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_the_link_sets_the_password_and_closes_every_session(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    sessions = [await api.sign_in(member.email, OWN) for _ in range(2)]
    answer = await ask(api, member, member.email)
    assert (answer.status, answer.body) == (202, {"status": "received"})
    requested = await backbone.wait_for("PasswordResetRequested", member.number)
    assert timedelta(minutes=59) < requested.data.expires_at - datetime.now(UTC) <= timedelta(minutes=60)

    done = await confirm(api, backbone.opened(requested, "reset_token"))
    assert (done.status, set(done.body)) == (200, {"device_token"})
    assert done.headers["cache-control"] == "no-store"
    await backbone.wait_for("PasswordReset", member.number)
    closed = await backbone.wait_for("SessionsClosed", member.number, lambda data: data.all_before is not None)
    for session in sessions:
        assert token_claims(session)["iat"] < closed.data.all_before.timestamp()
        assert (await api.refresh(session.body["refresh_token"])).status == 401
        assert (await api.call("GET", "/account", token=session.body["access_token"])).status == 401
    assert (await api.sign_in(member.email, OWN)).status == 401
    signed_in = await api.sign_in(member.email, NEXT, device_token=done.body["device_token"])
    assert (signed_in.status, signed_in.body["required_actions"]) == (200, [])
    assert signed_in.body["device_token"] == done.body["device_token"]  # this browser is known


async def test_a_session_opened_in_the_instant_after_a_reset_is_not_closed_by_it(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    await confirm(api, await link_token(backbone, member))
    signed_in = await api.sign_in(member.email, NEXT)
    closed = await backbone.wait_for("SessionsClosed", member.number, lambda data: data.all_before is not None)
    assert token_claims(signed_in)["iat"] >= closed.data.all_before.timestamp()
    for _ in range(12):  # until every replica has read the list of closures
        assert (await api.call("GET", "/account", token=signed_in.body["access_token"])).status == 200
        await asyncio.sleep(STEP_S)


async def test_whoever_asks_gets_the_same_answer_and_leaves_a_row_of_the_same_shape(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, other = [await with_address(api, backbone) for _ in range(2)]
    asked = {
        "known": (member.email, with_key(member.nir)),
        "another's NIR": (other.email, with_key(member.nir)),
        "NIR without key": (other.email, other.nir),
        "unknown": (f"nobody.{member.number}@example.org", with_key(member.nir)),
        "never a member": ("99999999", "2 55 08 14 168 025 38"),
        "no form at all": ("?", "?"),
    }
    with rows_written(infra, "jobs") as rows:
        answers = [
            await api.call(
                "POST", "/password-resets", {"identifier": identifier, "nir": number, "altcha": await solved(api)}
            )
            for identifier, number in asked.values()
        ]
        written = await asyncio.to_thread(lambda: [next(rows) for _ in asked])
    assert len({without_ids(answer) for answer in answers}) == 1
    assert len({json.dumps(shape_of(row), sort_keys=True) for row in written}) == 1
    assert not [row for row in written if member.number in str(row) or member.nir in str(row)]

    await backbone.wait_for("PasswordResetRequested", member.number)
    await backbone.read(1.5)
    assert len(backbone.of(member.number, "PasswordResetRequested")) == 1  # for the one right pair
    assert not backbone.of(other.number, "PasswordResetRequested")


async def test_at_most_one_mail_goes_out_in_five_minutes(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    first = await link_token(backbone, member)
    for _ in range(3):
        assert (await ask(api, member, member.email)).status == 202
    await backbone.read(1.5)
    assert len(backbone.of(member.number, "PasswordResetRequested")) == 1
    await made_older(infra, member, "reset_mailed_at", timedelta(minutes=5))
    await ask(api, member, member.email)
    second = await link_token(backbone, member, other_than=first)

    # The newer link, once used, voids the older one.
    assert (await confirm(api, second)).status == 200
    voided = await confirm(api, first)
    assert (voided.status, voided.body["code"]) == (410, "link_expired")
    used = await confirm(api, second)
    assert (used.status, used.body["code"]) == (409, "link_used")


async def test_of_two_confirmations_at_once_exactly_one_counts(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    token = await link_token(backbone, member)
    passwords = (NEXT, "six canards jaunes", "sept lapins gris", "huit renards roux")
    answers = await asyncio.gather(*(confirm(api, token, password) for password in passwords))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    signed_in = [await api.sign_in(member.email, p, client=some_network()) for p in passwords]
    assert [s.status == 200 for s in signed_in] == [a.status == 200 for a in answers]
    await backbone.read(1.0)
    assert len(backbone.of(member.number, "PasswordReset")) == 1


async def test_a_link_dies_with_any_change_of_the_password(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    token = await link_token(backbone, member)
    signed_in = await api.sign_in(member.email, OWN)
    body = {"current_password": OWN, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", body, token=signed_in.body["access_token"])).status == 204
    late = await confirm(api, token, "six canards jaunes")
    assert (late.status, late.body["code"]) == (410, "link_expired")
    assert (await api.sign_in(member.email, NEXT)).status == 200


async def test_a_link_is_good_for_an_hour(api: AuthApi, backbone: Backbone, infra: RealServers) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    token = await link_token(backbone, member)
    await made_older(infra, member, "expires_at", timedelta(minutes=60), collection="reset_links", key="member_number")
    late = await confirm(api, token)
    assert (late.status, late.body["code"]) == (410, "link_expired")
    unknown = await confirm(api, "never-ours")
    assert (unknown.status, unknown.body["code"]) == (410, "link_expired")
    assert (await api.sign_in(member.email, OWN)).status == 200


@pytest.mark.parametrize(("password", "code"), [("court", "too_short"), ("LaureDupont1984", "personal_data")])
async def test_a_weak_password_is_refused_and_the_link_stays_good(
    api: AuthApi, backbone: Backbone, password: str, code: str
) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    token = await link_token(backbone, member)
    weak = await confirm(api, token, password)
    assert (weak.status, weak.body["code"]) == (422, "password_too_weak")
    assert ("new_password", code) in [(error["field"], error["code"]) for error in weak.body["errors"]]
    assert (await confirm(api, token)).status == 200


async def test_a_reset_lifts_the_blocks_of_every_network_and_of_the_account(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    signed_in = await api.sign_in(member.email, OWN)
    networks = [some_network() for _ in range(2)]
    for network in networks * 2:
        await api.sign_in(member.email, WRONG, client=network)
    change = {"current_password": WRONG, "new_password": NEXT}
    for _ in range(2):
        await api.call("POST", "/account/password", change, token=signed_in.body["access_token"])
    assert [(await api.sign_in(member.email, OWN, client=network)).status for network in networks] == [429, 429]

    await ask(api, member, member.email)
    assert (await confirm(api, await link_token(backbone, member))).status == 200
    again = [await api.sign_in(member.email, NEXT, client=network) for network in networks]
    assert [answer.status for answer in again] == [200, 200]
    refused = await api.call("POST", "/account/password", change, token=again[0].body["access_token"])
    assert (refused.status, refused.body["attempts_left"]) == (422, 1)


async def test_without_an_activated_address_a_letter_brings_a_temporary_password(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    first = await next_letter(api, backbone, member, "reset")
    assert (first.data.identifier_kind, first.data.reason) == ("member_number", "reset")
    assert timedelta(days=29) < first.data.expires_at - datetime.now(UTC) <= timedelta(days=30)
    assert (await api.sign_in(member.number, OWN)).status == 200  # whoever asked: the own password holds

    # Asked again within seven days, none; after them another, beside the first.
    await ask(api, member, member.number)
    await backbone.read(1.5)
    assert len(backbone.of(member.number, "TemporaryPasswordIssued")) == 2
    await made_older(infra, member, "letter_asked_at", timedelta(days=7))
    await ask(api, member, member.number)
    second = await backbone.wait_for(
        "TemporaryPasswordIssued", member.number, lambda d: d.password != first.data.password and d.reason == "reset"
    )
    older, newer = backbone.opened(first, "password"), backbone.opened(second, "password")
    assert older[0] != newer[0]
    assert (await api.sign_in(member.number, older)).body["required_actions"] == ["choose_password"]
    signed_in = await api.sign_in(member.number, newer)
    assert signed_in.body["required_actions"] == ["choose_password"]
    assert (await api.sign_in(member.number, older)).status == 401  # the newer one ended it
    assert not backbone.of(member.number, "PasswordResetRequested")

    # The way through: the temporary password is the current one.
    body = {"current_password": newer, "new_password": NEXT}
    access = signed_in.body["access_token"]
    assert (await api.call("POST", "/account/password", body, token=access)).status == 204
    assert (await api.refresh(signed_in.body["refresh_token"])).body["required_actions"] == []
    for gone in (newer, OWN):
        assert (await api.sign_in(member.number, gone, client=some_network())).status == 401
    assert (await api.sign_in(member.number, NEXT, client=some_network())).status == 200


async def test_whichever_of_several_passwords_is_meant_a_try_costs_one_hash(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    older = await next_letter(api, backbone, member, "reset")
    await made_older(infra, member, "letter_asked_at", timedelta(days=7))
    await ask(api, member, member.number)
    newer = await backbone.wait_for(
        "TemporaryPasswordIssued", member.number, lambda d: d.password != older.data.password and d.reason == "reset"
    )
    letters = [backbone.opened(letter, "password") for letter in (older, newer)]
    costs = []
    for password in (OWN, *letters, WRONG, generate_temporary()):
        before = await api.metric(HASHES)
        answer = await api.sign_in(member.number, password, client=some_network())
        costs.append((answer.status, await api.metric(HASHES) - before))
    assert costs == [(200, 1)] * 3 + [(401, 1)] * 2


async def test_an_address_that_was_never_confirmed_gets_no_link(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    await choose(api, member, "email")
    letter = await next_letter(api, backbone, member, "reset", identifier=member.nir)
    assert letter.data.identifier_kind == "nir"
    assert not backbone.of(member.number, "PasswordResetRequested")
    signed_in = await api.sign_in(member.nir, backbone.opened(letter, "password"))
    assert signed_in.body["required_actions"] == ["confirm_identifier", "choose_password"]


@pytest.mark.slow  # the killed worker's lease may have to run out
async def test_killed_right_after_its_answer_it_still_mails_one_link(
    api: AuthApi, backbone: Backbone, process: Supervised
) -> None:
    members = [await with_address(api, backbone) for _ in range(3)]
    answers = await asyncio.gather(*(ask(api, member, member.email) for member in members))
    await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start)
    assert {answer.status for answer in answers} == {202}
    for member in members:
        await backbone.wait_for("PasswordResetRequested", member.number, within_s=90)
    await backbone.read(1.0)
    for member in members:
        assert len({event.id for event in backbone.of(member.number, "PasswordResetRequested")}) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"identifier": "12345678"}, {"identifier": "", "nir": "1"}, {"identifier": "x", "nir": "1" * 41}, []],
)
async def test_a_request_of_the_wrong_form_is_refused_by_field(api: AuthApi, body: object) -> None:
    answer = await api.call("POST", "/password-resets", body)
    assert (answer.status, answer.body["code"]) == (422, "validation")


async def test_after_a_reset_only_the_browser_that_did_it_is_known(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    before = (await api.sign_in(member.email, OWN)).body["device_token"]
    await ask(api, member, member.email)
    after = (await confirm(api, await link_token(backbone, member))).body["device_token"]
    told = len(backbone.of(member.number, "SignedInFromNewDevice"))
    assert (await api.sign_in(member.email, NEXT, device_token=after)).status == 200
    assert (await api.sign_in(member.email, NEXT, device_token=before)).status == 200
    await backbone.one_more("SignedInFromNewDevice", member.number)
    await backbone.read(1.0)
    assert len(backbone.of(member.number, "SignedInFromNewDevice")) == told + 1
