"""Which access tokens are good."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from shared.errors import Unauthenticated
from shared.tokens import TokenVerifier


class Keys:
    """A key source that learns a second key when it is asked to hurry."""

    def __init__(self, first: OKPKey, later: OKPKey) -> None:
        self._first, self._later = KeySet([first]), KeySet([first, later])
        self._known = self._first
        self.hurried = 0

    async def keys(self, *, hurry: bool = False) -> KeySet:
        if hurry:
            self.hurried += 1
            self._known = self._later
        return self._known


class Closed:
    """Closures of one session."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()

    def is_closed(self, *, session_id: str, member_number: str, issued_at: datetime) -> bool:
        return session_id in self.sessions


@pytest.fixture(scope="module")
def first() -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": "1"})


@pytest.fixture(scope="module")
def later() -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": "2"})


@pytest.fixture
def closed() -> Closed:
    return Closed()


@pytest.fixture
def verifier(first: OKPKey, later: OKPKey, closed: Closed) -> TokenVerifier:
    return TokenVerifier(Keys(first, later), "espace-assure", closed)  # type: ignore[arg-type]  # a stand-in for the closures' list


def seconds_at(now: datetime, by: timedelta) -> int:
    return int((now + by).timestamp())


def token(key: Any, alg: str = "EdDSA", header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": "espace-assure",
        "sub": "12345678",
        "sid": "s-1",
        "insurer": "main",
        "iat": int(now.timestamp()),
        "exp": seconds_at(now, timedelta(minutes=5)),
        "required_actions": ["choose_password"],
    } | {name: seconds_at(now, value) if isinstance(value, timedelta) else value for name, value in changes.items()}
    claims = {name: value for name, value in claims.items() if value is not None}
    named = {"typ": "at+jwt", "alg": alg, "kid": key.kid} | (header or {})
    return jwt.encode({n: v for n, v in named.items() if v is not None}, claims, key, algorithms=[alg])


async def test_a_good_token_names_its_member(verifier: TokenVerifier, first: OKPKey) -> None:
    member = await verifier.verify(token(first))
    assert (member.member_number, member.session_id, member.insurer) == ("12345678", "s-1", "main")
    assert member.required_actions == {"choose_password"}


async def test_a_token_says_whether_the_membership_is_over(verifier: TokenVerifier, first: OKPKey) -> None:
    assert (await verifier.verify(token(first, read_only=True))).read_only
    assert not (await verifier.verify(token(first))).read_only, "as every token before that claim"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"},
        {"iss": None},
        {"sub": None},
        {"sid": None},
        {"exp": None},
        {"required_actions": None},
        {"exp": timedelta(seconds=-30)},
        {"iat": timedelta(minutes=2)},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    verifier: TokenVerifier, first: OKPKey, changes: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(first, **changes))


async def test_a_token_of_another_key_or_algorithm_is_refused(verifier: TokenVerifier) -> None:
    stranger = OKPKey.generate_key("Ed25519", {"kid": "1"})
    symmetric = OctKey.generate_key(256, {"kid": "1"})
    for forged in (token(stranger), token(symmetric, alg="HS256"), "a.b.c", "", "é"):
        with pytest.raises(Unauthenticated):
            await verifier.verify(forged)


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "id+jwt"}, {"kid": None}, {"kid": "2"}])
async def test_a_token_of_another_type_or_without_its_key_is_refused(
    verifier: TokenVerifier, first: OKPKey, header: dict[str, Any]
) -> None:
    """Well signed: what these keys may sign for another use is no access token."""
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(first, header=header))


async def test_a_token_changed_by_one_letter_is_refused(verifier: TokenVerifier, first: OKPKey) -> None:
    good = token(first)
    header, payload, signature = good.split(".")
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"{header}.{payload[:-2]}{'AA' if payload[-2:] != 'AA' else 'BB'}.{signature}")


async def test_a_new_key_is_fetched_when_it_first_appears(verifier: TokenVerifier, later: OKPKey) -> None:
    assert (await verifier.verify(token(later))).member_number == "12345678"


async def test_a_verified_token_is_refused_once_its_session_is_closed(
    verifier: TokenVerifier, first: OKPKey, closed: Closed
) -> None:
    good = token(first)
    await verifier.verify(good)
    closed.sessions.add("s-1")
    with pytest.raises(Unauthenticated):
        await verifier.verify(good)
