"""One member through everything that leaves something behind: every password, link and token there can be."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.services.auth.changing import press, step_up, wish
from tests.services.auth.driver import AuthApi, Backbone, Signed, enrol, some_network
from tests.services.auth.resetting import OWN, WRONG, choose, link_token, solved, with_key

OTHER_NIR = "255081416802538"
"""Well-formed, with its key, and nobody's here."""


@dataclass
class Lived:
    """What the member and their mailboxes hold in the end.

    `links`: the good tokens of mailed links, by kind. `spent`: links and refresh tokens that have served.
    """

    member: Signed
    email: str
    passwords: list[str]
    links: dict[str, str] = field(default_factory=dict)
    access: list[str] = field(default_factory=list)
    refresh: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        """Of enrolment, in force, and awaiting its activation."""
        return [self.member.email, self.email, f"encore.{self.email}"]

    @property
    def tokens(self) -> list[str]:
        """Everything that somebody could try to come in with."""
        return [*self.links.values(), *self.access, *self.refresh, *self.devices, *self.spent]


async def live(api: AuthApi, backbone: Backbone) -> Lived:
    """Letter, first sign-in, another device, another address, a lost password, a block, a change under way."""
    member = await enrol(backbone)
    lived = Lived(member, f"autre.{member.number}@example.org", [member.temporary_password, OWN])
    await choose(api, member, "email")
    await _press(api, backbone, lived, member.email)
    await _sign_in(api, lived, member.email)
    at_home = await _sign_in(api, lived, member.email, "Firefox sur Linux")
    lived.links["close"] = await _told(backbone, lived, "SignedInFromNewDevice", "close_token")
    await _confirm(api, at_home)
    assert (await wish(api, at_home, kind="email", email=lived.email)).status == 202
    await _press(api, backbone, lived, lived.email)
    lived.links["undo"] = await _told(backbone, lived, "IdentifierChanged", "undo_token", of_email=lived.email)
    await _lose_password(api, lived, OTHER_NIR)
    await _lose_password(api, lived, with_key(member.nir))
    lived.links["reset"] = await link_token(backbone, member)
    network = some_network()
    for _ in range(2):
        await api.sign_in(lived.email, WRONG, client=network)
    lived.links["unlock"] = await _told(backbone, lived, "AccountLocked", "unlock_token")
    assert (await wish(api, at_home, kind="email", email=lived.addresses[-1])).status == 202
    lived.links["activation"] = await _told(
        backbone, lived, "IdentifierChangeRequested", "activation_token", of_email=lived.addresses[-1]
    )
    return lived


async def _sign_in(api: AuthApi, lived: Lived, identifier: str, name: str = "") -> str:
    """On a device that was not known; the access token after one refresh."""
    signed_in = await api.sign_in(identifier, OWN, device_name=name or None, trust_device=bool(name))
    assert signed_in.status == 200
    next_pair = await api.refresh(signed_in.body["refresh_token"])
    lived.devices.append(signed_in.body["device_token"])
    lived.spent.append(signed_in.body["refresh_token"])
    lived.access += [signed_in.body["access_token"], next_pair.body["access_token"]]
    lived.refresh.append(next_pair.body["refresh_token"])
    return str(next_pair.body["access_token"])


async def _confirm(api: AuthApi, access: str) -> None:
    assert (await step_up(api, access, WRONG)).status == 422
    assert (await step_up(api, access)).status == 204


async def _press(api: AuthApi, backbone: Backbone, lived: Lived, email: str) -> None:
    assert (await press(api, backbone, lived.member, email)).status == 200
    lived.spent.append(await _told(backbone, lived, "IdentifierChangeRequested", "activation_token", of_email=email))


async def _told(backbone: Backbone, lived: Lived, kind: str, field_name: str, *, of_email: str | None = None) -> str:
    """The token of the newest such mail."""
    await backbone.wait_for(kind, lived.member.number, of_email=of_email)
    told = [
        event
        for event in backbone.of(lived.member.number, kind)
        if of_email is None or backbone.opened(event, "email") == of_email
    ]
    return backbone.opened(told[-1], field_name)


async def _lose_password(api: AuthApi, lived: Lived, nir: str) -> None:
    body = {"identifier": lived.email, "nir": nir, "altcha": await solved(api)}
    assert (await api.call("POST", "/password-resets", body)).status == 202
