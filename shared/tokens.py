"""Access tokens: EdDSA JWTs (RFC 8037) of auth, verified by every service with auth's public keys.

The keys are cached and go on being used while auth is away. A verified token is cached until it expires: one Ed25519
verification costs more than the rest of a small request.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from shared.closures import Closures
from shared.errors import MembershipOver, RequiredAction, Unauthenticated, Unavailable
from shared.logs import get_logger

ALGORITHM = "EdDSA"
"""The name clients know (RFC 8037); RFC 9864 calls it Ed25519, which few JWT libraries accept yet."""
SECOND_FACTOR = "second_factor"
"""The required action of a sign-in that is only half done."""
TYPE = "at+jwt"
"""In the header of every access token (RFC 9068): nothing else that these keys may ever sign passes as one."""
CACHED_TOKENS = 10_000
KEYS_REREAD_S = 300.0
KEYS_HURRY_S = 10.0
"""At most this often an unknown key id makes us ask auth again."""
LEEWAY_S = 5

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """Who asks: the claims of a verified access token. `read_only`: the membership is over."""

    member_number: str
    session_id: str
    insurer: str
    required_actions: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    read_only: bool = False


class KeySource(Protocol):
    """Where the public keys come from."""

    async def keys(self, *, hurry: bool = False) -> KeySet:
        """The keys known now; `hurry` asks for a newer set because a key id was unknown."""


class RemoteKeys:
    """auth's `/.well-known/jwks.json`, cached."""

    name = "signing_keys"
    required = False

    def __init__(self, jwks_url: str) -> None:
        self._url = jwks_url
        self._client: Client | None = None
        self._keys: KeySet | None = None
        self._read_at = -KEYS_REREAD_S
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Fetch the keys; an error means that auth is away."""
        self._client = ClientBuilder().no_proxy().timeout(timedelta(seconds=3)).build()
        await self._fetch()

    async def stop(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()

    async def state(self) -> str:
        """`ok` while there are keys, however old."""
        return "ok" if self._keys else "no keys yet"

    async def keys(self, *, hurry: bool = False) -> KeySet:
        """The cached keys, re-read when old; raises `Unavailable` before the first were read."""
        async with self._lock:
            if time.monotonic() - self._read_at > (KEYS_HURRY_S if hurry else KEYS_REREAD_S):
                try:
                    await self._fetch()
                except (PyreqwestError, ValueError) as error:
                    log.warning("signing_keys_old", error=type(error).__name__)
        if self._keys is None:
            raise Unavailable
        return self._keys

    async def _fetch(self) -> None:
        if self._client is None:
            return
        self._read_at = time.monotonic()
        answer = await self._client.get(self._url).error_for_status(True).build().send()
        self._keys = KeySet.import_key_set(await answer.json())


class TokenVerifier:
    """Turns a bearer token into a `Member`, or refuses it."""

    def __init__(self, source: KeySource, issuer: str, closures: Closures) -> None:
        self._source, self._issuer, self._closures = source, issuer, closures
        self._verified: OrderedDict[str, Member] = OrderedDict()

    async def verify(self, token: str) -> Member:
        """The member whose valid token this is; raises `Unauthenticated`."""
        member = self._verified.get(token)
        if member is None:
            member = await self._decode(token)
            self._verified[token] = member
            while len(self._verified) > CACHED_TOKENS:
                self._verified.popitem(last=False)
        if member.expires_at <= datetime.now(UTC):
            self._verified.pop(token, None)
            raise Unauthenticated
        if self.is_closed(member):
            raise Unauthenticated
        return member

    def is_closed(self, member: Member) -> bool:
        """Whether the session of a verified token was closed since."""
        return self._closures.is_closed(
            session_id=member.session_id, member_number=member.member_number, issued_at=member.issued_at
        )

    async def _decode(self, token: str) -> Member:
        keys = await self._source.keys()
        try:
            claims = _decoded(token, keys)
        except (JoseError, ValueError):
            claims = await self._decode_with_newer_keys(token, keys)
        return self._member(claims)

    async def _decode_with_newer_keys(self, token: str, tried: KeySet) -> dict[str, Any]:
        keys = await self._source.keys(hurry=True)
        if keys is tried:
            raise Unauthenticated
        try:
            return _decoded(token, keys)
        except (JoseError, ValueError):
            raise Unauthenticated from None

    def _member(self, claims: dict[str, Any]) -> Member:
        try:
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self._issuer},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
            return Member(
                member_number=str(claims["sub"]),
                session_id=str(claims["sid"]),
                insurer=str(claims["insurer"]),
                required_actions=frozenset(claims["required_actions"]),
                issued_at=datetime.fromtimestamp(claims["iat"], UTC),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
                read_only=bool(claims.get("read_only")),
            )
        except (JoseError, KeyError, TypeError, ValueError, OverflowError):
            raise Unauthenticated from None


def _decoded(token: str, keys: KeySet) -> dict[str, Any]:
    decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
    if decoded.header.get("typ") != TYPE or "kid" not in decoded.header:
        raise ValueError("not an access token")
    return decoded.claims


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


async def _any_token(request: Request) -> Member:
    verifier: TokenVerifier = request.app.state.tokens
    return await verifier.verify(_bearer(request))


async def _any_member(member: Annotated[Member, Depends(_any_token)]) -> Member:
    if SECOND_FACTOR in member.required_actions:
        raise RequiredAction
    return member


async def _current_member(member: Annotated[Member, Depends(_any_member)]) -> Member:
    if member.required_actions:
        raise RequiredAction
    return member


async def _writing_member(member: Annotated[Member, Depends(_current_member)]) -> Member:
    if member.read_only:
        raise MembershipOver
    return member


AnyToken = Annotated[Member, Depends(_any_token)]
"""Whoever signed in so far, perhaps by the first of two factors only: to show the second, or to sign out."""
AnyMember = Annotated[Member, Depends(_any_member)]
"""A signed-in member, whatever the account still asks for: auth alone takes these."""
CurrentMember = Annotated[Member, Depends(_current_member)]
"""A signed-in member with nothing left to do first. Needs `app.state.tokens`, a `TokenVerifier`."""
WritingMember = Annotated[Member, Depends(_writing_member)]
"""The same, whose membership goes on: on every route that sends the insurer something."""
