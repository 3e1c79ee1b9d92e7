"""Requests that no client sends, tokens that nobody was given, and what every answer to them has to be."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import urllib3
from joserfc import jws
from joserfc.jwk import OKPKey

from shared.errors import Problem
from tests.services.auth.driver import some_network

MARK = "marque7c1"
"""In everything personal that is sent here: it must show in no answer and no log."""
JSON = "application/json"


@dataclass(frozen=True)
class Said:
    """A status, the headers, and the body as it came."""

    status: int
    headers: urllib3.HTTPHeaderDict
    text: str

    @property
    def code(self) -> str:
        return str(json.loads(self.text)["code"])


class Rough:
    """Sends what no client sends."""

    def __init__(self, url: str) -> None:
        self._url, self._pool = url, urllib3.PoolManager(timeout=20.0, retries=False)

    def send(self, method: str, path: str, body: bytes, *, kind: str = JSON, token: str = "") -> Said:
        headers = {"content-type": kind, "x-forwarded-for": some_network()}
        if token:
            headers["authorization"] = f"Bearer {token}"
        answer = self._pool.request(method, f"{self._url}{path}", body=body, headers=headers)
        return Said(answer.status, answer.headers, answer.data.decode())

    def post(self, path: str, body: object, *, token: str = "") -> Said:
        return self.send("POST", f"/api/v1{path}", json.dumps(body).encode(), token=token)


def known_codes(problem: type[Problem] = Problem) -> set[str]:
    """Of every error there is."""
    return {problem.code}.union(*(known_codes(narrower) for narrower in problem.__subclasses__()))


def refused(said: Said, *codes: str) -> None:
    """A problem with a code that clients know (of these, if any are named), and nothing of what was sent."""
    assert 400 <= said.status < 500, said.text
    assert said.headers["content-type"] == "application/problem+json"
    assert said.code in (set(codes) or known_codes()), said.text
    assert MARK not in said.text


def part_of(token: str, number: int) -> dict[str, Any]:
    part = token.split(".")[number]
    read: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


def encoded(header: dict[str, Any], claims: dict[str, Any], key: OKPKey) -> str:
    """Signed as it is, whatever a JWT library would think of the claims."""
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=["EdDSA"])


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """HMAC with what no library takes as a secret."""
    signed = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


FORGED: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "another type": lambda header, _: header.update(typ="JWT"),
    "no type": lambda header, _: header.pop("typ"),
    "no key named": lambda header, _: header.pop("kid"),
    "an unknown key": lambda header, _: header.update(kid="auth-9"),
    "another issuer": lambda _, claims: claims.update(iss="somebody-else"),
    "another insurer": lambda _, claims: claims.update(insurer="another"),
    "another member": lambda _, claims: claims.update(sub="00000000"),
    "another session": lambda _, claims: claims.update(sid=str(uuid4())),
    "expired a second ago": lambda _, claims: claims.update(exp=int(time.time()) - 1),
    "of the future": lambda _, claims: claims.update(iat=int(time.time()) + 60),
    "not valid yet": lambda _, claims: claims.update(nbf=int(time.time()) + 60),
    "an end that is no time": lambda _, claims: claims.update(exp=10**30),
    "a start that is no time": lambda _, claims: claims.update(iat=[MARK]),
    "a member that is no text": lambda _, claims: claims.update(sub=[MARK]),
    "actions that are no list": lambda _, claims: claims.update(required_actions=7),
    "without an end": lambda _, claims: claims.pop("exp"),
}
"""What a header and claims may say that no token of ours says: each change alone must be refused."""
