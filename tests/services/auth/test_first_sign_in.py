"""Enrolment → temporary password → sign-in → choice of identifier → activation → later sign-in, on real servers."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from shared import nir
from shared.events.base import Event
from tests.services.auth.driver import WAIT_S, Answer, AuthApi, Backbone, Signed, enrol, some_network
from tests.services.auth.resetting import made_older, next_letter, without_ids
from tests.stack import RealServers

pytestmark = pytest.mark.servers

OWN = "quatre chevaux verts"
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
    await _choose_email(api, await _token(api, member))
    token = await _activation_token(backbone, member)
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
    token = await _token(api, member)
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
    token = await _token(api, member)
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


async def test_an_address_is_confirmed_by_the_mailed_link_and_ends_the_nir(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    answer = await _choose_email(api, signed_in.body["access_token"])
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


async def test_the_new_password_holds_at_once_and_the_temporary_one_ends(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    await _choose_email(api, await _token(api, member))
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 401
    assert (await api.sign_in(member.nir, OWN)).status == 200


async def test_a_link_is_good_once(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    await _choose_email(api, await _token(api, member))
    token = await _activation_token(backbone, member)
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
    await _choose_email(api, await _token(api, member))
    first = await _activation_token(backbone, member)
    day = timedelta(hours=24)
    await made_older(infra, member, "expires_at", day, collection="activation_links", key="member_number")
    late = await api.call("POST", "/account/identifier/activation", {"token": first})
    assert (late.status, late.body["code"]) == (410, "link_expired")
    resumed = await api.sign_in(member.nir, OWN)  # in another browser, days later
    assert resumed.body["required_actions"] == ["confirm_identifier"]
    assert (await _resend(api, resumed.body["access_token"])).status == 202
    second = await _activation_token(backbone, member, other_than=first)
    assert (await api.call("POST", "/account/identifier/activation", {"token": second})).status == 200
    assert (await api.refresh(resumed.body["refresh_token"])).body["required_actions"] == []


async def test_whether_an_address_signs_another_account_in_only_its_mailbox_learns(
    api: AuthApi, backbone: Backbone
) -> None:
    owner, other = await enrol(backbone), await enrol(backbone)
    await _choose_email(api, await _token(api, owner))
    link = await _activation_token(backbone, owner)
    assert (await api.call("POST", "/account/identifier/activation", {"token": link})).status == 200
    access, answers = await _token(api, other), []
    free = {"kind": "email", "email": f"libre.{other.number}@example.org"}
    for body in (free | {"new_password": OWN}, {"kind": "email", "email": owner.email}):
        answers.append(await api.call("POST", "/account/identifier", body, token=access))
    assert without_ids(answers[0]) == without_ids(answers[1])
    told = await backbone.wait_for("IdentifierChangeRequested", other.number, lambda d: d.activation_token is None)
    assert backbone.opened(told, "email") == owner.email


async def test_a_resend_leaves_the_older_link_good(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    await _choose_email(api, access)
    first = await _activation_token(backbone, member)
    resent = await api.call("POST", "/account/identifier/activation/resend", token=access)
    assert resent.status == 202
    second = await _activation_token(backbone, member, other_than=first)
    requests = backbone.of(member.number, "IdentifierChangeRequested")
    assert len({event.data.request_id for event in requests}) == 1
    assert (await api.call("POST", "/account/identifier/activation", {"token": first})).status == 200
    other = await api.call("POST", "/account/identifier/activation", {"token": second})
    assert other.body["code"] == "link_used"


async def test_a_new_choice_voids_the_older_link(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    await _choose_email(api, access)
    first = await _activation_token(backbone, member)
    other_address = f"autre.{member.number}@example.org"
    again = await api.call("POST", "/account/identifier", {"kind": "email", "email": other_address}, token=access)
    assert again.status == 202
    second = await _activation_token(backbone, member, other_than=first)
    voided = await api.call("POST", "/account/identifier/activation", {"token": first})
    assert (voided.status, voided.body["code"]) == (410, "link_expired")
    assert (await api.call("POST", "/account/identifier/activation", {"token": second})).status == 200
    assert (await api.sign_in(other_address, OWN)).status == 200


async def test_the_member_number_can_be_chosen_instead_of_confirming(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    await _choose_email(api, access)
    link = await _activation_token(backbone, member)
    assert (await api.call("POST", "/account/identifier", {"kind": "member_number"}, token=access)).status == 200
    assert (await api.sign_in(member.number, OWN)).body["required_actions"] == []
    pressed = await api.call("POST", "/account/identifier/activation", {"token": link})
    assert pressed.body["code"] == "link_expired"


async def test_two_members_may_ask_for_one_address_and_the_first_to_press_has_it(
    api: AuthApi, backbone: Backbone
) -> None:
    first = await enrol(backbone)
    second = await enrol(backbone, email=first.email)
    second_access = await _token(api, second)
    for access in (await _token(api, first), second_access):
        assert (await _choose_email(api, access)).status == 202
    links = [await _activation_token(backbone, member) for member in (first, second)]
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
    answer = await api.call("POST", "/account/identifier", body, token=await _token(api, member))
    assert (answer.status, answer.body["code"]) == (422, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [(error["field"], error["code"]) for error in answer.body["errors"]]
    assert OWN not in str(answer.body)
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 200  # nothing was changed


async def test_without_an_address_from_enrolment_one_must_be_given(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone, email=None)
    access = await _token(api, member)
    missing = await _choose_email(api, access)
    assert ("email", "required") in [(error["field"], error["code"]) for error in missing.body["errors"]]
    given = {"kind": "email", "email": f"neuf.{member.number}@example.org", "new_password": OWN}
    assert (await api.call("POST", "/account/identifier", given, token=access)).status == 202


async def test_a_second_password_in_a_choice_is_not_expected(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    await _choose_email(api, access)
    again = await api.call("POST", "/account/identifier", {"kind": "email", "new_password": OWN}, token=access)
    assert [error["code"] for error in again.body["errors"]] == ["not_expected"]


async def test_after_the_first_choice_another_asks_to_confirm_who_one_is(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    body = {"kind": "member_number", "new_password": OWN}
    assert (await api.call("POST", "/account/identifier", body, token=access)).status == 200
    again = await api.call("POST", "/account/identifier", {"kind": "email"}, token=access)
    assert (again.status, again.body["code"]) == (403, "step_up_required")


async def test_mails_with_links_are_limited_in_an_hour_and_in_a_day(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    await _choose_email(api, access)
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
    answer = await api.call("POST", "/account/identifier/activation/resend", token=await _token(api, member))
    assert (answer.status, answer.body["code"]) == (404, "not_found")


async def _token(api: AuthApi, member: Signed) -> str:
    return str((await api.sign_in(member.nir, member.temporary_password)).body["access_token"])


async def _account_of(api: AuthApi, signed_in: Answer, last_name: str) -> dict[str, Any]:
    """The account, once that name has arrived."""
    async with asyncio.timeout(WAIT_S):
        while True:
            account = (await api.call("GET", "/account", token=signed_in.body["access_token"])).body
            if account["last_name"] == last_name:
                return account
            await asyncio.sleep(0.1)


async def _resend(api: AuthApi, access_token: str) -> Answer:
    return await api.call("POST", "/account/identifier/activation/resend", token=access_token)


def _expire_letters(infra: RealServers, member: Signed) -> None:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        over = {"$set": {"temporary_passwords.$[].expires_at": datetime.now(UTC) - timedelta(seconds=1)}}
        changed = client["auth"]["accounts"].update_one({"_id": member.number}, over)
        assert changed.modified_count == 1


async def _choose_email(api: AuthApi, access_token: str) -> Any:
    return await api.call("POST", "/account/identifier", {"kind": "email", "new_password": OWN}, token=access_token)


async def _activation_token(backbone: Backbone, member: Signed, other_than: str = "") -> str:
    """The token of a mailed link, as the mail's reader has it."""
    while True:
        for event in backbone.of(member.number, "IdentifierChangeRequested"):
            token = backbone.opened(event, "activation_token")
            if token != other_than:
                return token
        await backbone.one_more("IdentifierChangeRequested", member.number)
