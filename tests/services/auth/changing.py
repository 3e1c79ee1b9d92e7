"""What the tests of a changed identifier do again and again: confirm who one is, ask, press, undo."""

from __future__ import annotations

from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed
from tests.services.auth.resetting import OWN, with_address


async def step_up(api: AuthApi, access: str, password: str = OWN) -> Answer:
    return await api.call("POST", "/session/step-up", {"password": password}, token=access)


async def confirmed(api: AuthApi, identifier: str, password: str = OWN, *, on: str | None = None) -> str:
    """The access token of a new session, on a device of that name, in which the password was asked again."""
    access = str((await api.sign_in(identifier, password, device_name=on)).body["access_token"])
    assert (await step_up(api, access, password)).status == 204
    return access


async def wish(api: AuthApi, access: str, **wanted: object) -> Answer:
    return await api.call("POST", "/account/identifier", wanted, token=access)


async def press(api: AuthApi, backbone: Backbone, member: Signed, email: str) -> Answer:
    """The button of the mail to that address."""
    requested = await backbone.wait_for(
        "IdentifierChangeRequested", member.number, lambda data: data.activation_token is not None, of_email=email
    )
    token = {"token": backbone.opened(requested, "activation_token")}
    return await api.call("POST", "/account/identifier/activation", token)


async def move(api: AuthApi, backbone: Backbone, member: Signed, old: str, new: str) -> str:
    """Change the address from `old` to `new`, whoever does it; the token that undoes it."""
    access = await confirmed(api, old)
    assert (await wish(api, access, kind="email", email=new)).status == 202
    assert (await press(api, backbone, member, new)).status == 200
    changed = await backbone.wait_for("IdentifierChanged", member.number, of_email=new)
    assert backbone.opened(changed, "previous_email") == old
    return backbone.opened(changed, "undo_token")


async def undo(api: AuthApi, token: str) -> Answer:
    return await api.call("POST", "/account/identifier/undo", {"token": token})


async def moved(api: AuthApi, backbone: Backbone) -> tuple[Signed, str, str]:
    """A member whose address was changed: they, the new address, the token that undoes it."""
    member = await with_address(api, backbone)
    new = f"autre.{member.number}@example.org"
    return member, new, await move(api, backbone, member, member.email, new)
