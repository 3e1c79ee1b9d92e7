"""Enrolment → temporary password → sign-in → choice of identifier → activation → later sign-in, on real servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.auth.driver import AuthApi, Backbone, Signed, enrol

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


async def test_mails_with_links_are_limited_in_a_day(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    access = await _token(api, member)
    await _choose_email(api, access)
    statuses = [
        (await api.call("POST", "/account/identifier/activation/resend", token=access)).status for _ in range(10)
    ]
    assert statuses == [202] * 9 + [429]


async def test_a_resend_without_a_request_is_not_found(api: AuthApi, backbone: Backbone) -> None:
    member = await enrol(backbone)
    answer = await api.call("POST", "/account/identifier/activation/resend", token=await _token(api, member))
    assert (answer.status, answer.body["code"]) == (404, "not_found")


async def _token(api: AuthApi, member: Signed) -> str:
    return str((await api.sign_in(member.nir, member.temporary_password)).body["access_token"])


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
