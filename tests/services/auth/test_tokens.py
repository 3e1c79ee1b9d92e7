"""Access and refresh tokens, and the settings they come from."""

import os
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt

from services.auth.settings import decoded_key, signing_seeds
from services.auth.tokens import AccessTokens, LocalKeys, RefreshTokens
from shared.ids import new_id
from shared.tokens import ALGORITHM

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SEEDS = {"2026-11": os.urandom(32), "2026-05": os.urandom(32)}


async def test_an_access_token_carries_the_claims_of_the_api_and_verifies_with_the_published_keys() -> None:
    tokens = AccessTokens(SEEDS, issuer="espace-assure", lifetime_s=300)
    token = tokens.issue(
        member_number="12345678", session_id="s-1", insurer="main", required_actions=["choose_identifier"], now=NOW
    )
    decoded = jwt.decode(token, await LocalKeys(tokens.jwks).keys(), algorithms=[ALGORITHM])
    issued_at = int(NOW.timestamp())
    assert decoded.claims == {
        "iss": "espace-assure",
        "sub": "12345678",
        "sid": "s-1",
        "insurer": "main",
        "iat": issued_at,
        "exp": issued_at + 300,
        "required_actions": ["choose_identifier"],
    }
    assert (decoded.header["kid"], decoded.header["typ"]) == ("2026-11", "at+jwt")


@pytest.mark.parametrize(
    ("session_left_s", "lives_s"), [(3600, 300), (300.5, 300), (299.9, 299), (1, 1), (0.9, 0), (-5, -5)]
)
def test_an_access_token_never_outlives_its_session(session_left_s: float, lives_s: int) -> None:
    tokens = AccessTokens(SEEDS, issuer="i", lifetime_s=300)
    assert tokens.lives_s(NOW, NOW + timedelta(seconds=session_left_s)) == lives_s


def test_the_published_keys_hold_no_secret_and_every_version() -> None:
    keys = AccessTokens(SEEDS, issuer="i", lifetime_s=300).jwks["keys"]
    assert [key["kid"] for key in keys] == ["2026-11", "2026-05"]
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in keys)


def test_a_refresh_token_is_the_same_every_time_it_is_derived() -> None:
    tokens, session_id = RefreshTokens(os.urandom(32)), new_id()
    assert tokens.issue(session_id, 3) == tokens.issue(session_id, 3)
    assert tokens.read(tokens.issue(session_id, 3)) == (session_id, 3)
    assert tokens.issue(session_id, 3) != tokens.issue(session_id, 4)


def test_a_refresh_token_of_another_key_or_changed_is_nothing() -> None:
    tokens, session_id = RefreshTokens(os.urandom(32)), new_id()
    token = tokens.issue(session_id, 0)
    assert RefreshTokens(os.urandom(32)).read(token) is None
    for position in range(0, len(token), 7):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert tokens.read(changed) is None


@pytest.mark.parametrize("text", ["", "a", "é", "A" * 400, "not base64 !!", "AAAA.AAAA"])
def test_no_text_breaks_the_reading_of_a_refresh_token(text: str) -> None:
    assert RefreshTokens(os.urandom(32)).read(text) is None


def test_signing_keys_are_named_and_the_first_signs() -> None:
    first, second = (urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2))
    assert list(signing_seeds(f"b:{first}, a:{second.rstrip('=')}")) == ["b", "a"]


@pytest.mark.parametrize("text", ["", "kid:", "kid:AAAA", f":{'A' * 43}", f"a:{'A' * 43},a:{'B' * 43}", "kid:%%%"])
def test_bad_signing_keys_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"should be|needs a name") as refused:
        signing_seeds(text)
    assert "AAAA" not in str(refused.value)


def test_a_key_is_thirty_two_bytes() -> None:
    assert len(decoded_key("A" * 43)) == 32
    with pytest.raises(ValueError, match="32 bytes"):
        decoded_key("A" * 22)
