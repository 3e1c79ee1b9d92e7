"""The two ceremonies of WebAuthn (https://www.w3.org/TR/webauthn-3/): a passkey is made, a passkey signs.

Knows the relying party and the challenges, no member and no store.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.auth.challenges import Proof
from services.auth.errors import PasskeyRefused
from services.auth.models import Passkey
from services.auth.passkey_challenges import LIVES, PasskeyChallenges
from services.auth.schemas import Credential, Options

USER_HANDLE_BYTES: Final = 32
_TIMEOUT_MS: Final = LIVES // timedelta(milliseconds=1)
_BROKEN: Final = (
    WebAuthnException, UnsupportedAlgorithm,
    AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What the library raises for what it cannot read, and what its parsers let through."""


@dataclass(frozen=True, slots=True)
class User:
    """Whom a passkey is for, as the device shows it. `handle`: base64url, random."""

    handle: str
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new credential. `proof`: the challenge that this uses up."""

    credential_id: str
    public_key: str
    sign_count: int
    backed_up: bool
    proof: Proof


@dataclass(frozen=True, slots=True)
class Signed:
    """A passkey was used. `proof`: the challenge that this uses up."""

    sign_count: int
    backed_up: bool
    proof: Proof


class Ceremonies:
    """Whatever is wrong with an answer, it is `PasskeyRefused` and nothing else."""

    def __init__(self, origin: str, name: str, challenges: PasskeyChallenges) -> None:
        """`origin`: the portal's, the only one taken; its host is the relying party's id. `name`: to be shown."""
        self._origin, self._name, self._challenges = origin, name, challenges
        self._id = urlsplit(origin).hostname or ""

    def to_make(self, user: User, known: Sequence[Passkey], purpose: str) -> Options:
        """For a passkey that knows its member and asks who holds it; not on a device that has one of `known`."""
        options = webauthn.generate_registration_options(
            rp_id=self._id,
            rp_name=self._name,
            user_id=base64url_to_bytes(user.handle),
            user_name=user.name,
            user_display_name=user.display_name,
            challenge=self._challenges.new(purpose),
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
        return options_to_json_dict(options)

    def to_sign(self, purpose: str, allowed: Sequence[Passkey] = ()) -> Options:
        """For one of `allowed`; without any, for whichever the device has."""
        options = webauthn.generate_authentication_options(
            rp_id=self._id,
            challenge=self._challenges.new(purpose),
            timeout=_TIMEOUT_MS,
            allow_credentials=_descriptors(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    def made(self, credential: Credential, purpose: str) -> Made:
        """What a device made. Its maker is not asked for, so its attestation says nothing."""
        with _or_refused():
            read = parse_registration_credential_json(dict(credential))
            challenge, proof = self._challenge(read.response.client_data_json, purpose)
            verified = webauthn.verify_registration_response(
                credential=read,
                expected_challenge=challenge,
                expected_rp_id=self._id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        return Made(
            bytes_to_base64url(verified.credential_id),
            bytes_to_base64url(verified.credential_public_key),
            verified.sign_count,
            verified.credential_backed_up,
            proof,
        )

    def read(self, credential: Credential) -> AuthenticationCredential:
        """What a device signed with, not verified: `id` says with which passkey."""
        with _or_refused():
            return parse_authentication_credential_json(dict(credential))

    def signed(self, read: AuthenticationCredential, passkey: Passkey, user_handle: str | None, purpose: str) -> Signed:
        """Verify that `passkey` of the user with that handle signed a challenge for `purpose`.

        A counter that does not go up is refused too: then there are two copies of a key that should have none. Those
        that are copied on purpose do not count (they say 0).
        """
        with _or_refused():
            challenge, proof = self._challenge(read.response.client_data_json, purpose)
            shown = read.response.user_handle
            if shown is not None and bytes_to_base64url(shown) != user_handle:
                raise PasskeyRefused
            verified = webauthn.verify_authentication_response(
                credential=read,
                expected_challenge=challenge,
                expected_rp_id=self._id,
                expected_origin=self._origin,
                credential_public_key=base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        return Signed(verified.new_sign_count, verified.credential_backed_up, proof)

    def _challenge(self, client_data: bytes, purpose: str) -> tuple[bytes, Proof]:
        told = parse_client_data_json(client_data)
        if told.cross_origin:  # a frame on another site's page; ours cannot be framed
            raise PasskeyRefused
        return told.challenge, self._challenges.checked(told.challenge, purpose)


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential_id)) for one in passkeys]


@contextmanager
def _or_refused() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise PasskeyRefused from error
