"""Members with passwords of their own, and how the measurements ask auth and the gateway."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Self

from benchmarks.bench import Bench, until
from benchmarks.identity.wire import Wire
from deploy.local import topics
from deploy.simulator.people import enrolled
from shared.app import API_PREFIX
from shared.events.auth import AuthEvent, TemporaryPasswordIssued
from shared.events.membership import MemberEnrolled
from shared.events.record import to_message
from shared.sealing import Keyring

PASSWORD: Final = "quatre mots tranquilles bleus"  # noqa: S105 - of members who live as long as the run
WITHIN_S: Final = 120.0
_AT_ONCE: Final = 4


@dataclass
class Person:
    """A member who chose the member number as identifier. `device_token`: of the browser that signs in."""

    number: str
    device_token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body, and the ms from sending the request to the last byte of its answer."""

    status: int
    body: dict[str, Any]
    ms: float


class NoRoom(RuntimeError):
    """auth answered 503: it has more to do than it lets wait."""


@dataclass
class Networks:
    """Client addresses, no two of one /24, as a trusted proxy tells them."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def next(self) -> str:
        """An address that was never seen before (10.0.0.0/8 has 65,536 such networks, 11.0.0.0/8 the next)."""
        number = next(self._numbers)
        return f"{10 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.7"


class Api:
    """`async with Api(origin, networks) as api:` the public API there, each request from a network of its own."""

    def __init__(self, origin: str, networks: Networks, connections: int = 64) -> None:
        self._wire, self._networks = Wire(origin, connections), networks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._wire.close()

    async def post(
        self, path: str, body: dict[str, Any], *, token: str | None = None, address: str | None = None
    ) -> Answer:
        """One JSON request; never raises for a status. `address`: of the client, else one never seen before."""
        headers = {"x-forwarded-for": address or self._networks.next()}
        if token:
            headers["authorization"] = f"Bearer {token}"
        started = time.perf_counter()
        status, raw = await self._wire.post(f"{API_PREFIX}{path}", body, headers)
        ms = (time.perf_counter() - started) * 1000
        return Answer(status, json.loads(raw) if raw else {}, ms)

    async def sign_in(self, person: Person, *, from_known_device: bool = True) -> Answer:
        """A right password. Raises RuntimeError unless a session is opened (`NoRoom` for 503)."""
        body = {"identifier": person.number, "password": PASSWORD}
        if from_known_device:
            body["device_token"] = person.device_token
        return _good(await self.post("/session", body), "sign-in")

    async def fail(self, identifier: str, address: str | None = None) -> Answer:
        """A wrong password. 401, 429 while blocked, 503 when more wait than auth lets wait."""
        answer = await self.post(
            "/session", {"identifier": identifier, "password": "trois mots bien faux"}, address=address
        )
        if answer.status not in {401, 429, 503}:
            raise RuntimeError(f"a wrong password was answered {answer.status}")
        return answer


async def make_known(bench: Bench, members: list[MemberEnrolled], api: Api) -> list[Person]:
    """Enrol them, and let each sign in with what the letter says and choose member number and password."""
    await bench.publish([to_message(event) for event in enrolled(members)])
    passwords = await asyncio.to_thread(_temporary_passwords, bench, {member.member_number for member in members})
    places = asyncio.Semaphore(_AT_ONCE)

    async def first_sign_in(member: MemberEnrolled) -> Person:
        async with places:
            typed = {"identifier": member.nir, "password": passwords[member.member_number]}
            signed_in = _good(await api.post("/session", typed), "first sign-in").body
            chosen = {"kind": "member_number", "new_password": PASSWORD}
            _good(
                await api.post("/account/identifier", chosen, token=signed_in["access_token"]),
                "choice of an identifier",
            )
            return Person(member.member_number, signed_in["device_token"])

    people = await asyncio.gather(*map(first_sign_in, members))
    auth = bench.database("auth")
    await until(lambda: not auth["jobs"].count_documents({}) and not auth["outbox"].count_documents({}), WITHIN_S)
    return people


def _temporary_passwords(bench: Bench, wanted: set[str]) -> dict[str, str]:
    """By member number, from the events that notifications opens to print them."""
    keyring = Keyring.from_setting(bench.infra.environments.of("notifications")["SEALING_KEYS"])
    found: dict[str, str] = {}
    for event in topics.follow(bench.infra.environments.operators(), [AuthEvent.topic], {}, WITHIN_S):
        if event and isinstance(event.data, TemporaryPasswordIssued) and event.data.member_number in wanted:
            found[event.data.member_number] = keyring.open(event.data.password, event_id=event.id, field="password")
            if len(found) == len(wanted):
                return found
    raise RuntimeError(f"{len(wanted) - len(found)} temporary passwords were never issued")


def _good(answer: Answer, what: str) -> Answer:
    if answer.status not in {200, 202}:
        raise (NoRoom if answer.status == 503 else RuntimeError)(
            f"{what} was answered {answer.status} {answer.body.get('code', '')}"
        )
    return answer
