"""What the tests of a first sign-in and of its links do again and again: come in by the letter, choose an address."""

from __future__ import annotations

from tests.services.auth.driver import Answer, AuthApi, Backbone, Signed
from tests.services.auth.resetting import OWN


async def first_token(api: AuthApi, member: Signed) -> str:
    return str((await api.sign_in(member.nir, member.temporary_password)).body["access_token"])


async def choose_email(api: AuthApi, access_token: str) -> Answer:
    return await api.call("POST", "/account/identifier", {"kind": "email", "new_password": OWN}, token=access_token)


async def activation_token(backbone: Backbone, member: Signed, other_than: str = "") -> str:
    """The token of a mailed link, as the mail's reader has it."""
    while True:
        for event in backbone.of(member.number, "IdentifierChangeRequested"):
            token = backbone.opened(event, "activation_token")
            if token != other_than:
                return token
        await backbone.one_more("IdentifierChangeRequested", member.number)
