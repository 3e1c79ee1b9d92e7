"""What the tests of passkeys do again and again: add one, sign in with it, confirm by it."""

from __future__ import annotations

from typing import Any

from tests.services.auth.authenticator import Authenticator
from tests.services.auth.changing import confirmed
from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed
from tests.services.auth.resetting import with_member_number


async def creation(api: AuthApi, access: str) -> dict[str, Any]:
    """What a device needs to make a passkey."""
    answer = await api.call("POST", "/account/passkeys/options", token=access)
    assert answer.status == 200
    options: dict[str, Any] = answer.body["public_key"]
    return options


async def add(api: AuthApi, access: str, device: Authenticator, name: str | None = None) -> Answer:
    """In a confirmed session."""
    body = {"credential": device.make(await creation(api, access)), "name": name}
    return await api.call("POST", "/account/passkeys", body, token=access)


async def with_passkey(api: AuthApi, backbone: Backbone, device: Authenticator) -> tuple[Signed, str]:
    """A member who has a passkey on `device`, and the access token of the confirmed session that added it."""
    member = await with_member_number(api, backbone)
    access = await confirmed(api, member.number)
    assert (await add(api, access, device)).status == 201
    return member, access


async def sign_in_options(api: AuthApi) -> dict[str, Any]:
    options: dict[str, Any] = (await api.call("POST", "/session/passkey/options")).body["public_key"]
    return options


async def sign_in(api: AuthApi, device: Authenticator, **more: object) -> Answer:
    body = {"credential": device.sign(await sign_in_options(api)), **more}
    return await api.call("POST", "/session/passkey", body)


async def step_up_options(api: AuthApi, access: str) -> Answer:
    return await api.call("POST", "/session/step-up/options", token=access)


async def step_up(api: AuthApi, access: str, credential: dict[str, Any]) -> Answer:
    return await api.call("POST", "/session/step-up", {"passkey": credential}, token=access)


async def passkeys(api: AuthApi, access: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await api.call("GET", "/account/passkeys", token=access)).body["items"]
    return items


async def kinds(api: AuthApi, access: str) -> list[str]:
    """What the record says, newest first."""
    return [event["kind"] for event in (await api.call("GET", "/activity", token=access)).body["items"]]


def told(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.body.get("code")
