import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import InvalidKeys, Keyring, SealingError, Tampered, UnknownKey

OLD = "notifications/1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
NEW = "notifications/2:__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA="
RING = Keyring.from_setting(OLD)

# made by this module once; what another language has to open
VECTOR = (
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoibm90aWZpY2F0aW9ucy8xIiwiY2VfaWQiOiIwMTlhOW"
    "U0ZS0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMTQiLCJmaWVsZCI6ImVtYWlsIn0"
    "..bYNnOuGdSwTVjfYj.r-c1KUbPUmYk_mLq7MzruVVrrgMbdE9H.rnuEdD60bFsavOIe7TBjcQ"
)


@given(st.text(), st.text(max_size=40), st.text(max_size=40))
def test_what_is_sealed_opens_at_its_place(secret: str, event_id: str, field: str) -> None:
    token = RING.seal(secret, event_id=event_id, field=field)

    assert RING.open(token, event_id=event_id, field=field) == secret


@given(st.binary(max_size=5000), st.text(max_size=100))
def test_what_is_sealed_at_rest_opens_in_its_context(secret: bytes, context: str) -> None:
    token = RING.seal_at_rest(secret, context=context)

    assert RING.open_at_rest(token, context=context) == secret


def test_a_whole_kafka_record_can_rest() -> None:
    value = b"x" * 1_048_576

    assert (
        RING.open_at_rest(RING.seal_at_rest(value, context="dead_letters/a-0-1"), context="dead_letters/a-0-1") == value
    )


def test_a_fixed_token_opens_with_nothing_but_aes_gcm() -> None:
    header, encrypted_key, nonce, ciphertext, tag = VECTOR.split(".")
    plaintext = AESGCM(bytes(range(32))).decrypt(_bytes(nonce), _bytes(ciphertext) + _bytes(tag), header.encode())

    assert plaintext == b"laure.dupont@example.org"
    assert encrypted_key == ""
    assert json.loads(_bytes(header)) == {
        "alg": "dir",
        "enc": "A256GCM",
        "kid": "notifications/1",
        "ce_id": "019a9e4e-0000-7000-8000-000000000014",
        "field": "email",
    }
    opened = RING.open(VECTOR, event_id="019a9e4e-0000-7000-8000-000000000014", field="email")
    assert opened == "laure.dupont@example.org"


def test_the_same_secret_is_never_sealed_twice_alike() -> None:
    tokens = {RING.seal("secret", event_id="e", field="f") for _ in range(50)}

    assert len({token.split(".")[2] for token in tokens}) == 50


@pytest.mark.parametrize("place", [{"event_id": "other", "field": "email"}, {"event_id": "e-1", "field": "other"}])
def test_a_token_opens_nowhere_else(place: dict[str, str]) -> None:
    token = RING.seal("secret", event_id="e-1", field="email")

    with pytest.raises(Tampered):
        RING.open(token, **place)


def test_the_two_forms_do_not_open_each_other() -> None:
    with pytest.raises(Tampered):
        RING.open_at_rest(RING.seal("secret", event_id="e", field="f"), context="e")
    with pytest.raises(Tampered):
        RING.open(RING.seal_at_rest("secret", context="e"), event_id="e", field="f")
    with pytest.raises(Tampered):
        RING.open_at_rest(RING.seal_at_rest("secret", context="members/1"), context="members/2")


@pytest.mark.parametrize("part", range(5))
def test_a_change_of_any_part_is_noticed(part: int) -> None:
    parts = RING.seal("secret", event_id="e", field="f").split(".")
    parts[part] = _flipped(parts[part])

    with pytest.raises(SealingError):
        RING.open(".".join(parts), event_id="e", field="f")


@given(st.text() | st.text("ABCD.eyJ0", max_size=40))
def test_text_that_is_no_token(text: str) -> None:
    with pytest.raises(SealingError):
        RING.open(text, event_id="e", field="f")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir", "enc": "A256GCM"},
        {"alg": "dir", "enc": "A128GCM", "kid": "notifications/1"},
        {"alg": "A256KW", "enc": "A256GCM", "kid": "notifications/1"},
        {"alg": "dir", "enc": "A256GCM", "kid": ["notifications/1"]},
        {"alg": "dir", "enc": "A256GCM", "kid": "notifications/1", "zip": "DEF"},
        {"alg": "dir", "enc": "A256GCM", "kid": "notifications/1", "crit": ["ce_id"]},
        "alg enc kid",
        [[[[]]]],
    ],
)
def test_headers_that_ask_for_something_else_are_refused(header: object) -> None:
    written = urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    nonce = bytes(12)
    sealed = AESGCM(bytes(range(32))).encrypt(nonce, b"secret", written.encode())
    token = ".".join([written, "", _base64(nonce), _base64(sealed[:-16]), _base64(sealed[-16:])])

    with pytest.raises(SealingError):
        RING.open(token, event_id="e", field="f")


def test_keys_rotate_the_first_seals_and_all_open() -> None:
    both = Keyring.from_setting(f"{NEW},{OLD}")
    before = RING.seal("secret", event_id="e", field="f")
    after = both.seal("secret", event_id="e", field="f")

    assert both.open(before, event_id="e", field="f") == "secret"
    assert json.loads(_bytes(after.split(".")[0]))["kid"] == "notifications/2"
    with pytest.raises(UnknownKey):
        RING.open(after, event_id="e", field="f")


def test_another_key_of_the_same_name_opens_nothing() -> None:
    other = Keyring.from_setting(NEW.replace("/2:", "/1:"))

    with pytest.raises(Tampered):
        other.open(RING.seal("secret", event_id="e", field="f"), event_id="e", field="f")


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "notifications:AAAA",
        OLD + "A",
        OLD[:-1],
        OLD + ",",
        f"{OLD},{OLD}",
        f"{OLD},auth/1:{OLD[16:]}",
        OLD.replace("A", "+", 1),
    ],
)
def test_a_setting_that_is_no_list_of_keys_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(InvalidKeys) as caught:
        Keyring.from_setting(setting)

    assert OLD[16:30] not in str(caught.value)


def test_neither_repr_nor_errors_carry_secrets() -> None:
    token = RING.seal("SECRET", event_id="e", field="f")
    with pytest.raises(Tampered) as caught:
        RING.open(token[:-2], event_id="e", field="f")

    assert repr(RING) == "Keyring(notifications/1)"
    assert RING.audience == "notifications"
    assert caught.value.__cause__ is None
    assert token[:20] not in str(caught.value)


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _flipped(part: str) -> str:
    return ("B" if part[0] == "A" else "A") + part[1:] if part else "AAAA"
