"""What the tests of a second factor do again and again: an app, codes, sign-ins that need one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

from pymongo import MongoClient

from services.auth import totp
from tests.services.auth.changing import confirmed
from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed
from tests.services.auth.resetting import OWN, with_member_number
from tests.stack import RealServers

SHORT = "loup9bis"
"""Eight characters, no known word: good beside a second factor only."""

SHOWN_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class App:
    """An authenticator app, and the paper with the recovery codes."""

    secret: str
    recovery_codes: list[str]

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many steps from now."""
        return totp.code_at(self.secret, int(time.time()) // totp.STEP_S + steps)

    def code_before(self) -> str:
        """What it showed last, while that is good for some seconds yet: the code of now is left for a sign-in."""
        if (left_s := totp.STEP_S - time.time() % totp.STEP_S) < SHOWN_WITHIN_S:
            time.sleep(left_s)
        return self.code(-1)

    def wrong(self) -> str:
        """Six digits that it does not show for minutes."""
        near = {self.code(steps) for steps in range(-10, 11)}
        return next(code for number in range(100) if (code := f"{number:06d}") not in near)


async def begin(api: AuthApi, access: str) -> Answer:
    return await api.call("POST", "/account/totp", {}, token=access)


async def turn_on(api: AuthApi, access: str) -> App:
    """In a session that was confirmed."""
    begun = await begin(api, access)
    assert begun.status == 201, begun
    app = App(begun.body["secret"], [])
    done = await api.call("POST", "/account/totp", {"code": app.code()}, token=access)
    assert done.status == 200, done
    return App(app.secret, done.body["recovery_codes"])


async def with_app(api: AuthApi, backbone: Backbone) -> tuple[Signed, App, str]:
    """A member who signs in with the member number, `OWN` and an app; and the token of their session."""
    member = await with_member_number(api, backbone)
    access = await confirmed(api, member.number)
    return member, await turn_on(api, access), access


async def show(api: AuthApi, access: str, **typed: str) -> Answer:
    """POST /session/second-factor."""
    return await api.call("POST", "/session/second-factor", typed, token=access)


async def half(
    api: AuthApi, identifier: str, password: str = OWN, *, client: str = "203.0.113.7", **more: object
) -> Answer:
    """A sign-in that awaits its code."""
    answer = await api.sign_in(identifier, password, client=client, **more)
    assert answer.status == 200, answer
    assert answer.body["required_actions"][0] == "second_factor"
    return answer


async def whole(api: AuthApi, identifier: str, app: App, password: str = OWN, device_token: str | None = None) -> str:
    """The access token of a sign-in with both."""
    opened = (await half(api, identifier, password, device_token=device_token)).body
    assert (await show(api, opened["access_token"], code=app.code())).status == 204
    return str((await api.refresh(opened["refresh_token"])).body["access_token"])


async def row(infra: RealServers, collection: str, selection: dict[str, Any]) -> dict[str, Any]:
    """One of auth's rows, as it is stored."""

    def found() -> dict[str, Any]:
        with MongoClient[dict[str, Any]](infra.mongo_admin_url, tz_aware=True) as client:
            return client["auth"][collection].find_one(selection) or {}

    return await asyncio.to_thread(found)


async def codes_serve_again(infra: RealServers, member: Signed) -> None:
    """As if minutes had passed: the clock of a test cannot be turned."""

    def change() -> None:
        with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
            client["auth"]["accounts"].update_one({"_id": member.number}, {"$set": {"second_factor.last_step": 0}})

    await asyncio.to_thread(change)
