"""What the tests of a lost password do again and again: members who have chosen, requests, links, letters."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pymongo import MongoClient

from shared import nir
from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed, enrol
from tests.solving import answer
from tests.stack import RealServers

OWN = "quatre chevaux verts"
NEXT = "cinq moutons bleus"
WRONG = "une autre phrase"
STEP_S = 0.2


async def with_address(api: AuthApi, backbone: Backbone) -> Signed:
    """A member who signs in with an activated address and `OWN`."""
    member = await enrol(backbone)
    await choose(api, member, "email")
    requested = await backbone.wait_for("IdentifierChangeRequested", member.number)
    token = {"token": backbone.opened(requested, "activation_token")}
    assert (await api.call("POST", "/account/identifier/activation", token)).status == 200
    return member


async def with_member_number(api: AuthApi, backbone: Backbone) -> Signed:
    """A member who signs in with the member number and `OWN`."""
    member = await enrol(backbone)
    await choose(api, member, "member_number")
    return member


async def choose(api: AuthApi, member: Signed, kind: str) -> None:
    signed_in = await api.sign_in(member.nir, member.temporary_password)
    body = {"kind": kind, "new_password": OWN}
    chosen = await api.call("POST", "/account/identifier", body, token=signed_in.body["access_token"])
    assert chosen.status in {200, 202}


async def ask(api: AuthApi, member: Signed, identifier: str) -> Answer:
    body = {"identifier": identifier, "nir": with_key(member.nir), "altcha": await solved(api)}
    return await api.call("POST", "/password-resets", body)


async def solved(api: AuthApi) -> str:
    """The answer to a new challenge."""
    challenge = await api.call("GET", "/challenges")
    return await asyncio.to_thread(answer, challenge.body)


async def confirm(api: AuthApi, token: str, password: str = NEXT) -> Answer:
    return await api.call("POST", "/password-resets/confirmation", {"token": token, "new_password": password})


async def link_token(backbone: Backbone, member: Signed, other_than: str = "") -> str:
    """The token of a mailed link, as the mail's reader has it."""
    while True:
        for event in backbone.of(member.number, "PasswordResetRequested"):
            token = backbone.opened(event, "reset_token")
            if token != other_than:
                return token
        await backbone.one_more("PasswordResetRequested", member.number)


async def next_letter(
    api: AuthApi, backbone: Backbone, member: Signed, reason: str, *, identifier: str | None = None
) -> Any:
    """Ask, and wait for the letter of that reason."""
    assert (await ask(api, member, identifier or member.number)).status == 202
    return await backbone.wait_for("TemporaryPasswordIssued", member.number, lambda data: data.reason == reason)


def with_key(number: str) -> str:
    return nir.grouped(nir.normalise(number))


def token_claims(signed_in: Answer) -> dict[str, Any]:
    payload = signed_in.body["access_token"].split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=="))
    return claims


def without_ids(answer: Answer) -> tuple[object, ...]:
    kept = {n: v for n, v in answer.headers.items() if n not in {"x-request-id", "date"}}
    body = {name: value for name, value in answer.body.items() if name != "request_id"}
    return answer.status, json.dumps(body), json.dumps(kept, sort_keys=True)


def shape_of(value: object) -> object:
    """The names and types of a row, with the length of its texts."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    return f"text of {len(value)}" if isinstance(value, str) else type(value).__name__


@contextmanager
def rows_written(infra: RealServers, collection: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The rows inserted while this is open, however soon they are gone."""
    with (
        MongoClient[dict[str, Any]](infra.mongo_admin_url) as client,
        client["auth"][collection].watch([{"$match": {"operationType": "insert"}}]) as changes,
    ):
        yield (change["fullDocument"] for change in changes)


async def made_older(
    infra: RealServers,
    member: Signed,
    field: str,
    time: timedelta,
    *,
    collection: str = "accounts",
    key: str = "_id",
) -> None:
    """Make an instant of that member's that much older: the clock of a test cannot be turned."""

    def change() -> None:
        with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
            older = {"$subtract": [f"${field}", int(time.total_seconds() * 1000)]}
            client["auth"][collection].update_many({key: member.number}, [{"$set": {field: older}}])

    await asyncio.to_thread(change)
