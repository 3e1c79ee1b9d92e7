"""Enrolment → temporary password → sign-in → choice of an identifier and a password, on real servers."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from shared import nir
from shared.events.base import Event
from tests.services.auth.choosing import activation_token, choose_email, first_token
from tests.services.auth.driver import WAIT_S, Answer, AuthApi, Backbone, Signed, enrol, some_network
from tests.services.auth.resetting import OWN, next_letter
from tests.stack import RealServers

pytestmark = pytest.mark.servers

CONSENTS = {"statements": True, "management_information": False}


async def test_the_first_sign_in_asks_for_an_identifier_and_a_password(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    answer = await api.sign_in(member.nir, member.temporary_password)
    assert answer.status == 200
    assert answer.body["required_actions"] == ["choose_identifier", "choose_password"]
    assert answer.body["expires_in"] == 300
    assert answer.body["device_token"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_letter_is_typed_as_people_type(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    spaced = " ".join(member.nir)
    typed = member.temporary_password.lower().replace("-", " ")
    assert (await api.sign_in(spaced, typed)).status == 200


@pytest.mark.parametrize(("place", "written"), [("2a004", "{nir} "), ("2b033", "{grouped}"), ("2a004", "{grouped13}")])
async def test_a_corsican_nir_is_typed_as_people_type(
    api: AuthApi, backbone: Backbone, place: str, written: str
) -> None:
    member = await enrol(backbone, nir=f"28405{place}{secrets.randbelow(1000):03d}".upper())
    grouped = nir.grouped(nir.normalise(member.nir)).lower()
    typed = written.format(nir=member.nir.lower(), grouped=grouped, grouped13=grouped[:-3])
    assert (await api.sign_in(typed, member.temporary_password)).status == 200


async def test_an_expired_letter_tells_nothing_and_another_one_is_asked_for(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    await asyncio.to_thread(_expire_letters, infra, member)
    client = some_network()
    right, wrong = [
        await api.sign_in(member.nir, password, client=network)
        for password, network in ((member.temporary_password, client), ("pas le bon mot", some_network()))
    ]
    assert right.status == 401
    assert {**right.body, "request_id": ""} == {**wrong.body, "request_id": ""}
    renewed = await next_letter(api, backbone, member, "renewal", identifier=member.nir)
    signed_in = await api.sign_in(member.nir, backbone.opened(renewed, "password"), client=client)
    assert signed_in.body["required_actions"] == ["choose_identifier", "choose_password"]
    assert (await api.sign_in(member.nir, member.temporary_password, client=some_network())).status == 401


async def test_a_second_enrolment_in_the_middle_of_the_choice_changes_nothing_of_it(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await enrol(backbone)
    await choose_email(api, await first_token(api, member))
    token = await activation_token(backbone, member)
    await backbone.publish(Event.of(member.enrolled.model_copy(update={"last_name": "Martin"})))
    waiting = await api.sign_in(member.nir, OWN)
    assert (await _account_of(api, waiting, "Martin"))["required_actions"] == ["confirm_identifier"]
    assert (await api.call("POST", "/account/identifier/activation", {"token": token})).status == 200
    await backbone.publish(Event.of(member.enrolled.model_copy(update={"last_name": "Durand"})))
    later = await api.sign_in(member.email, OWN)
    assert (await _account_of(api, later, "Durand"))["identifier_kind"] == "email"
    assert (await api.sign_in(member.nir, OWN)).status == 401
    assert len(backbone.of(member.number, "TemporaryPasswordIssued")) == 1


async def test_the_account_shows_the_member_with_address_and_nir_masked(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    token = await first_token(api, member)
    answer = await api.call("GET", "/account", token=token)
    assert answer.status == 200
    assert answer.body["member_number"] == member.number
    assert (answer.body["first_name"], answer.body["last_name"]) == ("Laure", "Dupont")
    assert answer.body["birth_date"] == "1984-05-12"
    assert answer.body["email_masked"] == "l***@example.org"
    assert answer.body["identifier_kind"] == "nir"
    assert [person["first_name"] for person in answer.body["beneficiaries"]] == ["Laure", "Hugo"]
    assert member.nir not in str(answer.body)
    assert member.nir[5:] not in answer.body["nir_masked"].replace(" ", "")
    assert member.email not in str(answer.body)


async def test_the_member_number_is_active_at_once_and_ends_the_nir(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    token = await first_token(api, member)
    body = {"kind": "member_number", "new_password": OWN, "consents": CONSENTS}
    answer = await api.call("POST", "/account/identifier", body, token=token)
    assert (answer.status, answer.body) == (200, {"status": "active"})

    changed = await backbone.wait_for("IdentifierChanged", member.number)
    assert changed.data.kind == "member_number"
    assert not changed.data.email_activated
    assert changed.data.consents.model_dump() == CONSENTS
    assert backbone.opened(changed, "email") == member.email
    replaced = await backbone.wait_for("PasswordChanged", member.number)
    assert replaced.data.replaces == "temporary"

    assert (await api.sign_in(member.nir, OWN)).status == 401
    later = await api.sign_in(member.number, OWN)
    assert (later.status, later.body["required_actions"]) == (200, [])


async def test_the_new_password_holds_at_once_and_the_temporary_one_ends(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    await choose_email(api, await first_token(api, member))
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 401
    assert (await api.sign_in(member.nir, OWN)).status == 200


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"kind": "email"}, "validation", ("new_password", "required")),
        ({"kind": "email", "new_password": "court"}, "password_too_weak", ("new_password", "too_short")),
        ({"kind": "member_number", "new_password": "LaureDupont1984"}, "password_too_weak",
         ("new_password", "personal_data")),
        ({"kind": "email", "email": "not an address", "new_password": OWN}, "validation", ("email", "invalid")),
        ({"kind": "nir", "new_password": OWN}, "validation", ("kind", "literal_error")),
    ],
)  # fmt: skip
async def test_a_choice_that_cannot_be_is_refused_by_field(
    api: AuthApi, backbone: Backbone, body: dict[str, Any], code: str, field: tuple[str, str]
) -> None:
    member = await enrol(backbone)
    answer = await api.call("POST", "/account/identifier", body, token=await first_token(api, member))
    assert (answer.status, answer.body["code"]) == (422, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [(error["field"], error["code"]) for error in answer.body["errors"]]
    assert OWN not in str(answer.body)
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 200  # nothing was changed


async def test_without_an_address_from_enrolment_one_must_be_given(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone, email=None)
    access = await first_token(api, member)
    missing = await choose_email(api, access)
    assert ("email", "required") in [(error["field"], error["code"]) for error in missing.body["errors"]]
    given = {"kind": "email", "email": f"neuf.{member.number}@example.org", "new_password": OWN}
    assert (await api.call("POST", "/account/identifier", given, token=access)).status == 202


async def test_a_second_password_in_a_choice_is_not_expected(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await first_token(api, member)
    await choose_email(api, access)
    again = await api.call("POST", "/account/identifier", {"kind": "email", "new_password": OWN}, token=access)
    assert [error["code"] for error in again.body["errors"]] == ["not_expected"]


async def test_after_the_first_choice_another_asks_to_confirm_who_one_is(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await first_token(api, member)
    body = {"kind": "member_number", "new_password": OWN}
    assert (await api.call("POST", "/account/identifier", body, token=access)).status == 200
    again = await api.call("POST", "/account/identifier", {"kind": "email"}, token=access)
    assert (again.status, again.body["code"]) == (403, "step_up_required")


async def _account_of(api: AuthApi, signed_in: Answer, last_name: str) -> dict[str, Any]:
    """The account, once that name has arrived."""
    async with asyncio.timeout(WAIT_S):
        while True:
            account = (await api.call("GET", "/account", token=signed_in.body["access_token"])).body
            if account["last_name"] == last_name:
                return account
            await asyncio.sleep(0.1)


def _expire_letters(infra: RealServers, member: Signed) -> None:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        over = {"$set": {"temporary_passwords.$[].expires_at": datetime.now(UTC) - timedelta(seconds=1)}}
        changed = client["auth"]["accounts"].update_one({"_id": member.number}, over)
        assert changed.modified_count == 1


async def test_a_member_who_never_signed_in_gets_another_letter_and_still_chooses(
    api: AuthApi, backbone: Backbone
) -> None:
    member = await enrol(backbone)
    renewed = await next_letter(api, backbone, member, "renewal", identifier=member.nir)
    assert renewed.data.identifier_kind == "nir"
    for password in (member.temporary_password, backbone.opened(renewed, "password")):
        signed_in = await api.sign_in(member.nir, password)
        assert signed_in.body["required_actions"] == ["choose_identifier", "choose_password"]
