"""What makes a passkey, and what counts as signed by one: everything else is refused alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn.helpers import bytes_to_base64url

from services.auth.errors import PasskeyRefused
from services.auth.models import Passkey
from services.auth.passkey_challenges import SIGN_IN, PasskeyChallenges, registration_of, step_up_of
from services.auth.passkeys import Ceremonies, Signed, User
from tests.services.auth.authenticator import Authenticator

ORIGIN = "http://localhost:8080"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))
USER = User("aGFuZGxl", "Laure Dupont (12345678)", "Laure Dupont")
ADDING, CONFIRMING = registration_of("12345678", "here"), step_up_of("here")
Change = Callable[[Authenticator], Authenticator]


def at(instant: datetime, key: bytes = KEY) -> Ceremonies:
    return Ceremonies(ORIGIN, "Plansanté", PasskeyChallenges(key, clock=lambda: instant))


CEREMONIES = at(NOW)


def made(device: Authenticator, ceremonies: Ceremonies = CEREMONIES) -> Passkey:
    answer = ceremonies.made(device.make(CEREMONIES.to_make(USER, [], ADDING)), ADDING)
    return Passkey(
        passkey_id="p-1",
        member_number="12345678",
        credential_id=answer.credential_id,
        public_key=answer.public_key,
        sign_count=answer.sign_count,
        backed_up=answer.backed_up,
        name="Téléphone",
        added_at=NOW,
    )


def signed(answer: dict[str, Any], passkey: Passkey, ceremonies: Ceremonies = CEREMONIES, of: str = SIGN_IN) -> Signed:
    return ceremonies.signed(ceremonies.read(answer), passkey, USER.handle, of)


def test_a_passkey_knows_its_member_asks_who_holds_it_and_is_made_once_a_device() -> None:
    passkey = made(Authenticator(ORIGIN))
    options: Any = CEREMONIES.to_make(USER, [passkey], ADDING)
    assert options["rp"] == {"id": "localhost", "name": "Plansanté"}
    assert options["user"] == {"id": "aGFuZGxl", "name": USER.name, "displayName": USER.display_name}
    assert options["authenticatorSelection"] == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
    }  # fmt: skip
    assert [param["alg"] for param in options["pubKeyCredParams"]] == [-8, -7, -257]
    assert [known["id"] for known in options["excludeCredentials"]] == [passkey.credential_id]
    assert (options["attestation"], options["timeout"]) == ("none", 300_000)


def test_the_options_of_a_sign_in_name_nobody_and_differ_in_their_challenge_alone() -> None:
    first, second = CEREMONIES.to_sign(SIGN_IN), CEREMONIES.to_sign(SIGN_IN)
    assert first.pop("challenge") != second.pop("challenge")
    expected = {"rpId": "localhost", "userVerification": "required", "allowCredentials": [], "timeout": 300_000}
    assert first == second == expected


@pytest.mark.parametrize(("counts", "backed_up"), [(True, False), (False, True)])
def test_what_it_signs_is_taken_and_its_counter_is_told(*, counts: bool, backed_up: bool) -> None:
    device = Authenticator(ORIGIN, counts=counts, backed_up=backed_up)
    passkey = made(device)
    assert passkey.backed_up is backed_up
    answer = signed(device.sign(CEREMONIES.to_sign(SIGN_IN)), passkey)
    assert (answer.sign_count, answer.backed_up) == (2 if counts else 0, backed_up)
    assert answer.proof.expires_at == NOW + timedelta(minutes=5)


BAD: dict[str, Change] = {
    "another site": lambda device: replace(device, origin="http://localhost:8081"),
    "a frame": lambda device: replace(device, cross_origin=True),
    "another relying party": lambda device: replace(device, rp_id="example.org"),
    "nobody was asked": lambda device: replace(device, verifies=False),
}
BAD_SIGNATURES: dict[str, Change] = {
    **BAD,
    "another key": lambda device: replace(device, key=Authenticator(ORIGIN).key),
    "another user": lambda device: replace(device, user_handle="YW5vdGhlcg"),
    "a counter that stood still": lambda device: replace(device, counter=device.counter - 1),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_what_was_made_otherwise_is_refused(change: Change) -> None:
    with pytest.raises(PasskeyRefused):
        made(change(Authenticator(ORIGIN)))


@pytest.mark.parametrize("change", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_what_was_signed_otherwise_is_refused(change: Change) -> None:
    device = Authenticator(ORIGIN)
    passkey = made(device)
    options = CEREMONIES.to_sign(SIGN_IN)
    with pytest.raises(PasskeyRefused):
        signed(change(device).sign(options), passkey)


def test_a_challenge_is_good_for_what_it_was_made_for_alone() -> None:
    device = Authenticator(ORIGIN)
    passkey = made(device)
    purposes = [SIGN_IN, CONFIRMING, step_up_of("there"), ADDING, registration_of("87654321", "here")]
    for purpose in purposes:
        answer = device.sign(CEREMONIES.to_sign(purpose))
        assert signed(answer, passkey, of=purpose).proof.key
        for other in set(purposes) - {purpose}:
            with pytest.raises(PasskeyRefused):
                signed(answer, passkey, of=other)
    with pytest.raises(PasskeyRefused):
        CEREMONIES.made(device.make(CEREMONIES.to_make(USER, [], registration_of("87654321", "here"))), ADDING)


def test_a_challenge_lasts_five_minutes_and_nobody_else_makes_one() -> None:
    device = Authenticator(ORIGIN)
    passkey = made(device)
    answer = device.sign(CEREMONIES.to_sign(SIGN_IN))
    assert signed(answer, passkey, at(NOW + timedelta(seconds=299))).sign_count == 2
    for ceremonies in (at(NOW + timedelta(minutes=5)), at(NOW, key=bytes(32))):
        with pytest.raises(PasskeyRefused):
            signed(answer, passkey, ceremonies)
    with pytest.raises(PasskeyRefused):
        signed(device.sign({"challenge": "AAAA"}), passkey)


_BYTES = st.binary(max_size=90).map(bytes_to_base64url)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | _BYTES
    | st.just(bytes_to_base64url(b"[" * 9000)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_PARTS = ["id", "rawId", "type", "response"]
_INNER = ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]


@settings(max_examples=50, deadline=None)
@given(outer=st.dictionaries(st.sampled_from(_PARTS), _JSON), inner=st.dictionaries(st.sampled_from(_INNER), _JSON))
def test_whatever_is_sent_is_refused_and_breaks_nothing(outer: dict[str, Any], inner: dict[str, Any]) -> None:
    device = Authenticator(ORIGIN)
    passkey = made(device)
    for answer, taken in (
        (device.sign(CEREMONIES.to_sign(SIGN_IN)), lambda sent: signed(sent, passkey)),
        (device.make(CEREMONIES.to_make(USER, [], ADDING)), lambda sent: CEREMONIES.made(sent, ADDING)),
    ):
        response = answer["response"] | inner
        sent = answer | {"response": response} | outer
        if sent != answer:
            try:
                taken(sent)
            except PasskeyRefused:
                continue
