"""The record of security events: what goes in, what its member reads of it, what never stands in it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from services.auth.service.password_resets import PASSWORD_RESET
from services.auth.store.security_events import COLLECTION
from tests.processes import until
from tests.services.auth.driver import AuthApi, Backbone, Signed
from tests.services.auth.resetting import NEXT, OWN, WRONG, ask, confirm, link_token, solved, with_address, with_key
from tests.stack import RealServers

pytestmark = pytest.mark.servers

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


async def test_what_happened_is_told_newest_first_with_where_from(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    await api.sign_in(member.email, WRONG, client=ELSEWHERE, device_name="Firefox sur Linux")
    token = await signed_in(api, member, OWN, device_name="Chrome sur Windows")
    wrong = {"current_password": WRONG, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", wrong, token=token)).status == 422
    changed = {"current_password": OWN, "new_password": NEXT}
    assert (await api.call("POST", "/account/password", changed, token=token)).status == 204
    assert (await api.call("DELETE", "/sessions", token=token)).status == 204

    told = (await api.call("GET", "/activity?limit=100", token=token)).body
    kinds = [event["kind"] for event in told["items"]]
    assert kinds == [
        "other_devices_closed",
        "password_set",
        "confirmation_failed",
        "new_device",
        "signed_in",
        "sign_in_failed",
        "identifier_changed",
        "address_asked",
        "password_set",
        "signed_in",
    ]
    failed, last = told["items"][5], told["items"][4]
    assert (failed["network"], failed["device"]) == ("198.51.100.0/24", "Firefox sur Linux")
    assert (last["network"], last["device"]) == ("203.0.113.0/24", "Chrome sur Windows")
    assert told["next_cursor"] is None


async def test_a_reset_is_on_the_record_and_pages_go_on_where_they_ended(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    await ask(api, member, member.email)
    assert (await confirm(api, await link_token(backbone, member))).status == 200
    token = await signed_in(api, member, NEXT)
    whole = (await api.call("GET", "/activity?limit=100", token=token)).body["items"]
    assert {"password_reset_asked", "password_reset"} <= {event["kind"] for event in whole}
    paged, cursor = [], ""
    while True:
        page = (await api.call("GET", f"/activity?limit=2{cursor}", token=token)).body
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == whole
    refused = await api.call("GET", "/activity?cursor=bad", token=token)
    assert (refused.status, refused.body["errors"][0]["code"]) == (422, "cursor_invalid")


async def test_a_request_with_anothers_nir_is_on_the_record_ten_times_a_day_and_stops_no_right_one(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    order = int(member.nir[10:])
    for other in range(11):
        number = with_key(f"{member.nir[:10]}{(order + other) % 999 + 1:03d}")
        body = {"identifier": member.email, "nir": number, "altcha": await solved(api)}
        assert (await api.call("POST", "/password-resets", body)).status == 202
    await asyncio.to_thread(until, "all are looked into", lambda: not _waiting(infra))
    assert not backbone.of(member.number, "PasswordResetRequested")
    token = await signed_in(api, member, OWN)
    told = (await api.call("GET", "/activity?limit=100", token=token)).body["items"]
    assert [event["kind"] for event in told].count("password_reset_refused") == 10
    await ask(api, member, member.email)
    assert await link_token(backbone, member)


async def test_nobody_reads_anothers_and_nobody_before_the_first_steps_are_done(
    api: AuthApi, backbone: Backbone
) -> None:
    member, other = await with_address(api, backbone), await with_address(api, backbone)
    await api.sign_in(member.email, WRONG, client=ELSEWHERE)
    theirs = (await api.call("GET", "/activity", token=await signed_in(api, other, OWN))).body["items"]
    assert "sign_in_failed" not in {event["kind"] for event in theirs}
    assert (await api.call("GET", "/activity")).status == 401


async def test_a_failure_leaves_the_same_row_whoever_is_meant_and_no_secret(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    for identifier in (member.email, f"nobody.{member.number}@example.org"):
        await api.sign_in(identifier, WRONG, client=ELSEWHERE)
    rows = await asyncio.to_thread(_rows, infra)
    known, unknown = rows[-2:]
    assert known.keys() == unknown.keys() == {"_id", "at", "kind", "identifier_key", "network", "delete_at"}
    assert known["delete_at"] - known["at"] == unknown["delete_at"] - unknown["at"] == timedelta(days=90)
    [chosen, *_] = [row for row in rows if row.get("member_number") == member.number]
    assert chosen["delete_at"] - chosen["at"] == timedelta(days=365)
    told = str(rows)
    for secret in (WRONG, OWN, member.email, member.nir, member.temporary_password, ELSEWHERE):
        assert secret not in told


async def signed_in(api: AuthApi, member: Signed, password: str, **more: object) -> str:
    answer = await api.sign_in(member.email, password, client=HERE, **more)
    assert answer.status == 200
    token: str = answer.body["access_token"]
    return token


def _waiting(infra: RealServers) -> int:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        return client["auth"]["jobs"].count_documents({"kind": PASSWORD_RESET})


def _rows(infra: RealServers) -> list[dict[str, Any]]:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        return list(client["auth"][COLLECTION].find().sort("_id", 1))
