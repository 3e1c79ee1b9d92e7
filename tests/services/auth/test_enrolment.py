"""What contract management tells auth, in any order, with repeats."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from shared.events.base import Event
from shared.events.membership import MembershipEnded, MemberUpdated
from tests.services.auth.driver import AuthApi, Backbone, enrol, some_member
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_an_enrolment_issues_one_password_for_thirty_days(api: AuthApi, backbone: Backbone) -> None:
    enrolled = some_member()
    event = Event.of(enrolled)
    await backbone.publish(event, event, Event.of(enrolled))
    issued = await backbone.wait_for("TemporaryPasswordIssued", enrolled.member_number)
    assert issued.data.reason == "enrolment"
    assert issued.data.identifier_kind == "nir"
    assert timedelta(days=30) - (issued.data.expires_at - datetime.now(UTC)) < timedelta(minutes=1)
    await backbone.read(1.0)
    assert len(backbone.of(enrolled.member_number, "TemporaryPasswordIssued")) == 1
    assert (await api.sign_in(enrolled.nir, backbone.opened(issued, "password"))).status == 200


async def test_a_second_enrolment_updates_the_facts_and_issues_no_password(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    renamed = member.enrolled.model_copy(update={"last_name": "Durand", "email": None})
    await backbone.publish(Event.of(renamed))
    account = await _account_where(api, member.nir, member.temporary_password, "last_name", "Durand")
    assert account["email_masked"] is None
    assert len(backbone.of(member.number, "TemporaryPasswordIssued")) == 1


async def test_the_same_nir_under_two_numbers_makes_two_accounts(api: AuthApi, backbone: Backbone) -> None:
    first = await enrol(backbone)
    second = await enrol(backbone, nir=first.nir)
    issued = backbone.of(second.number, "TemporaryPasswordIssued")[0]
    assert issued.data.identifier_kind == "member_number"
    assert (await api.sign_in(first.nir, first.temporary_password)).status == 200
    assert (await api.sign_in(second.nir, second.temporary_password)).status == 401
    signed_in = await api.sign_in(second.number, second.temporary_password)
    assert signed_in.body["required_actions"] == ["choose_identifier", "choose_password"]


async def test_the_same_nir_twice_in_one_batch_makes_two_accounts(backbone: Backbone) -> None:
    first = some_member()
    second = some_member(nir=str(first.nir))
    await asyncio.gather(backbone.publish(Event.of(first)), backbone.publish(Event.of(second)))
    kinds = [
        (await backbone.wait_for("TemporaryPasswordIssued", member.member_number)).data.identifier_kind
        for member in (first, second)
    ]
    assert sorted(kinds) == ["member_number", "nir"]


async def test_facts_obey_their_time_and_not_their_arrival(api: AuthApi, backbone: Backbone) -> None:
    enrolled = some_member()
    number, now = enrolled.member_number, datetime.now(UTC)
    later = MemberUpdated(member_number=number, last_name="Durand", email=f"neuf.{number}@example.net")
    earlier = MemberUpdated(member_number=number, last_name="Ancienne", first_name="Laura")
    await backbone.publish(
        Event.of(later, time=now + timedelta(seconds=5)),
        Event.of(enrolled, time=now),
        Event.of(earlier, time=now + timedelta(seconds=1)),
    )
    issued = await backbone.wait_for("TemporaryPasswordIssued", number)
    password = backbone.opened(issued, "password")
    account = await _account_where(api, str(enrolled.nir), password, "first_name", "Laura")
    assert account["last_name"] == "Durand"
    assert account["email_masked"] == "n***@example.net"


async def test_a_corrected_nir_is_the_one_that_signs_in(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    corrected = str(some_member().nir)
    update = MemberUpdated.model_validate_json(f'{{"member_number": "{member.number}", "nir": "{corrected}"}}')
    await backbone.publish(Event.of(update))
    await _account_where(api, corrected, member.temporary_password, "member_number", member.number)
    assert (await api.sign_in(member.nir, member.temporary_password, client="192.0.2.9")).status == 401


async def test_the_end_of_a_membership_is_kept_and_the_member_still_reads(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    await backbone.publish(Event.of(MembershipEnded(member_number=member.number, ended_on=date(2026, 12, 31))))
    for _ in range(100):
        stored = await asyncio.to_thread(_stored, infra, member.number)
        if stored["facts"]["ended_on"]["value"]:  # the enrolment said that there is no end
            break
        await asyncio.sleep(0.1)
    assert stored["facts"]["ended_on"]["value"] == "2026-12-31"
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 200


async def test_nothing_stored_or_published_shows_a_person(backbone: Backbone, infra: RealServers) -> None:
    member = await enrol(backbone)
    stored = str(await asyncio.to_thread(_everything_of, infra, member.number))
    assert member.number in stored
    for secret in (member.nir, member.email, member.temporary_password, member.temporary_password.replace("-", "")):
        assert secret not in stored
    published = str([event.data.to_json() for event in backbone.seen])
    assert member.email not in published
    assert member.temporary_password not in published


async def _account_where(api: AuthApi, identifier: str, password: str, field: str, value: str) -> dict[str, Any]:
    """The member's account once it shows `value`: events take a moment."""
    for attempt in range(100):
        signed_in = await api.sign_in(identifier, password, client=f"10.0.{attempt}.1")
        if signed_in.status == 200:
            account = await api.call("GET", "/account", token=signed_in.body["access_token"])
            if account.body[field] == value:
                return account.body
        await asyncio.sleep(0.1)
    raise AssertionError(f"{field} never became what was told")


def _stored(infra: RealServers, number: str) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        return client["auth"]["accounts"].find_one({"_id": number}) or {}


def _everything_of(infra: RealServers, number: str) -> list[dict[str, Any]]:
    """Every document of the database that could speak of the member."""
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        db = client["auth"]
        assert number in {row["_id"] for row in db["accounts"].find()}
        return [row for name in db.list_collection_names() for row in db[name].find()]
