"""The end of an account: erased with everything after the membership, or closed by an operator before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from services.auth.membership_rules import months_later
from shared import clock
from shared.events.base import Event
from shared.events.membership import MembershipEnded
from tests.deploy.command import run
from tests.services.auth import keys
from tests.services.auth.authenticator import Authenticator
from tests.services.auth.changing import confirmed
from tests.services.auth.driver import WAIT_S, Answer, AuthApi, Backbone, Signed, enrol
from tests.services.auth.resetting import (
    NEXT,
    OWN,
    WRONG,
    ask,
    confirm,
    link_token,
    token_claims,
    with_address,
    with_member_number,
)
from tests.stack import RealServers

pytestmark = pytest.mark.servers

BACKBONE = {"member_sequences", "outbox", "closed_sessions"}
"""What delivers the last events; it empties itself."""


async def ended(backbone: Backbone, member: Signed, *, months_ago: int) -> None:
    await ends(backbone, member, (clock.now() - timedelta(days=31 * months_ago)).date())


async def ends(backbone: Backbone, member: Signed, day: date) -> None:
    await backbone.publish(Event.of(MembershipEnded(member_number=member.number, ended_on=day)))


async def test_two_years_after_the_membership_nothing_is_left(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member, other = await with_address(api, backbone), await with_member_number(api, backbone)
    await api.sign_in(member.email, WRONG)
    signed_in = (await api.sign_in(member.email, OWN)).body
    device = Authenticator(infra.environment("auth")["PORTAL_URL"])
    assert (await keys.add(api, await confirmed(api, member.email), device)).status == 201
    await api.sign_in(member.email, WRONG)
    assert (await ask(api, member, member.email)).status == 202
    await backbone.wait_for("PasswordResetRequested", member.number)
    before = await asyncio.to_thread(_rows, infra, other.number)

    await ended(backbone, member, months_ago=25)
    erased = await backbone.wait_for("MemberErased", member.number)
    kinds = [event.type for event in backbone.seen if event.data.member_number == member.number]
    assert kinds.index("SessionsClosed") < kinds.index("MemberErased")
    assert abs(erased.data.at - clock.now()) < timedelta(minutes=1)
    assert set(await asyncio.to_thread(_rows, infra, member.number)) <= BACKBONE
    assert (await api.refresh(signed_in["refresh_token"])).status == 401
    never = await api.sign_in("nobody@example.org", OWN, client="192.0.2.1")
    gone = await api.sign_in(member.email, OWN, client="192.0.2.1")
    assert (await keys.sign_in(api, device)).body["code"] == "passkey_refused"
    assert (gone.status, gone.body["attempts_left"]) == (never.status, never.body["attempts_left"])
    assert await asyncio.to_thread(_rows, infra, other.number) == before


async def test_until_then_and_after_a_new_enrolment_the_member_stays(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    await ended(backbone, member, months_ago=1)
    job = await _eventually(lambda: _erasure(infra, member.number))
    assert timedelta(days=690) < job["due_at"] - clock.now() < timedelta(days=731)
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 200
    await backbone.publish(Event.of(member.enrolled))
    await _eventually(lambda: _erasure(infra, member.number) is None)
    assert len(backbone.of(member.number, "TemporaryPasswordIssued")) == 1


async def test_after_the_membership_a_member_reads_only_until_it_goes_on_again(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_member_number(api, backbone)
    signed_in = await api.sign_in(member.number, OWN)
    today = clock.day_in_france(clock.now())
    await ends(backbone, member, today + timedelta(days=40))
    await _eventually(lambda: _erasure(infra, member.number))
    pair = await api.refresh(signed_in.body["refresh_token"])
    assert "read_only" not in token_claims(pair), "an end to come changes nothing"
    assert pair.body["ended_membership"] is None

    last = today - timedelta(days=2)
    await ends(backbone, member, last)
    pair = await _refreshed(api, pair, lambda body: body["ended_membership"])
    until = months_later(last, 24) - timedelta(days=1)
    told = {"ended_on": last.isoformat(), "readable_until": until.isoformat()}
    assert (token_claims(pair)["read_only"], pair.body["ended_membership"]) == (True, told)
    assert (await _account(api, pair))["ended_membership"] == told
    change = {"current_password": OWN, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", change, token=pair.body["access_token"])).status == 204
    again = await api.sign_in(member.number, NEXT)
    assert (token_claims(again)["read_only"], again.body["ended_membership"]) == (True, told)

    await backbone.publish(Event.of(member.enrolled))
    pair = await _refreshed(api, again, lambda body: not body["ended_membership"])
    assert "read_only" not in token_claims(pair)
    assert (await _account(api, pair))["ended_membership"] is None


async def test_an_operator_closes_the_way_in_and_opens_it_again(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    signed_in = (await api.sign_in(member.email, OWN)).body
    device = Authenticator(infra.environment("auth")["PORTAL_URL"])
    assert (await keys.add(api, await confirmed(api, member.email), device)).status == 201
    await ask(api, member, member.email)
    token = await link_token(backbone, member)
    assert await _portal(infra, "close", member.number, "--reason", "death") == (0, "order=close_sign_in outcome=done")
    await backbone.wait_for("SessionsClosed", member.number, lambda data: data.all_before is not None)

    assert (await api.refresh(signed_in["refresh_token"])).status == 401
    for closed in (await api.sign_in(member.email, OWN), await keys.sign_in(api, device)):
        assert (closed.status, closed.body["code"]) == (403, "sign_in_closed")
    wrong = await api.sign_in(member.email, WRONG)
    assert (wrong.status, wrong.body["attempts_left"]) == (401, 1), "a right password counts as no failure"
    assert (await confirm(api, token)).body["code"] == "link_expired"

    assert await _portal(infra, "open", member.number) == (0, "order=open_sign_in outcome=done")
    assert (await api.sign_in(member.email, OWN)).status == 200
    assert (await keys.sign_in(api, device)).status == 200


async def test_no_link_and_no_letter_goes_to_a_closed_account(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    closed, other = await with_address(api, backbone), await with_address(api, backbone)
    await _portal(infra, "close", closed.number, "--reason", "dispute")
    assert (await ask(api, closed, closed.email)).body == (await ask(api, other, other.email)).body
    await backbone.wait_for("PasswordResetRequested", other.number)  # asked later by the same worker
    assert backbone.of(closed.number, "PasswordResetRequested") == []
    for member in (closed, other):
        for _ in range(2):
            await api.sign_in(member.email, WRONG, client="192.0.2.77")
    await backbone.wait_for("AccountLocked", other.number)
    assert backbone.of(closed.number, "AccountLocked") == []


async def test_an_order_for_nobody_changes_nothing(api: AuthApi, infra: RealServers) -> None:
    status, said = await _portal(infra, "close", "99999999", "--reason", "security")
    assert (status, said) == (2, "portal: unknown_member: nothing was changed")


async def _portal(infra: RealServers, *arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(run, infra.operators(), "deploy.cli", "account", *arguments)
    return done.returncode, (done.stdout + done.stderr).strip()


async def _eventually(look: Callable[[], Any]) -> Any:
    async with asyncio.timeout(WAIT_S):
        while True:
            if found := await asyncio.to_thread(look):
                return found
            await asyncio.sleep(0.1)


async def _refreshed(api: AuthApi, pair: Answer, as_wanted: Callable[[dict[str, Any]], object]) -> Answer:
    """The pair that the session goes on with, once an event that was published shows in it."""
    async with asyncio.timeout(WAIT_S):
        while True:
            pair = await api.refresh(pair.body["refresh_token"])
            assert pair.status == 200
            if as_wanted(pair.body):
                return pair
            await asyncio.sleep(0.1)


async def _account(api: AuthApi, pair: Answer) -> dict[str, Any]:
    return (await api.call("GET", "/account", token=pair.body["access_token"])).body


def _erasure(infra: RealServers, number: str) -> dict[str, Any] | None:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url, tz_aware=True) as client:
        return client["auth"]["jobs"].find_one({"_id": f"erasure/{number}"})


def _rows(infra: RealServers, number: str) -> dict[str, list[dict[str, Any]]]:
    """What speaks of the member, by collection."""
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        db = client["auth"]
        found = {name: [row for row in db[name].find() if number in str(row)] for name in db.list_collection_names()}
    return {name: rows for name, rows in found.items() if rows}
