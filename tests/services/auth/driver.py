"""Drives a real auth process: its HTTP API, and Kafka as its neighbours use it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from deploy.topology import TOPICS
from shared.events.base import Event, EventData
from shared.events.membership import MemberEnrolled
from shared.events.record import Record, parse, to_message
from shared.kafka import KafkaAccess
from shared.sealing import Keyring
from tests.shared.events.examples import golden
from tests.stack import RealServers

WAIT_S = 30.0
PARTITIONS = next(topic.partitions for topic in TOPICS if topic.name == "auth.v1")


_AT_ONCE = ThreadPoolExecutor(128, "api")
"""The default one has six threads here: a hundred requests at once are a hundred."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (empty if none) and headers in lower case."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


class AuthApi:
    """The service's own port, asked as the gateway asks it: the client's address in X-Forwarded-For."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, client: str = "203.0.113.7"
    ) -> Answer:
        """One request; never raises for a status."""
        return await asyncio.get_running_loop().run_in_executor(_AT_ONCE, self._call, method, path, body, token, client)

    def _call(self, method: str, path: str, body: object, token: str | None, client: str) -> Answer:
        headers = {"content-type": "application/json", "x-forwarded-for": client}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        prefix = "" if path.startswith("/.well-known") else "/api/v1"
        request = Request(f"{self.url}{prefix}{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=20) as answer:
                return _answer(answer.status, answer.read(), answer.headers)
        except HTTPError as error:
            with error:
                return _answer(error.code, error.read(), error.headers)

    async def sign_in(self, identifier: str, password: str, *, client: str = "203.0.113.7", **more: object) -> Answer:
        """POST /session."""
        return await self.call(
            "POST", "/session", {"identifier": identifier, "password": password, **more}, client=client
        )

    async def metric(self, name: str) -> float:
        """A counter of `/metrics`, 0 if it was never raised."""
        text = await asyncio.to_thread(lambda: urlopen(f"{self.url}/metrics", timeout=20).read().decode())
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} ")), 0.0)

    async def refresh(self, refresh_token: str) -> Answer:
        """POST /session/refresh."""
        return await self.call("POST", "/session/refresh", {"refresh_token": refresh_token})


def _answer(status: int, raw: bytes, headers: Any) -> Answer:
    return Answer(status, json.loads(raw) if raw else {}, {name.lower(): value for name, value in headers.items()})


class Backbone:
    """Publishes to membership.v1 as contract management does and reads auth.v1 as notifications does."""

    def __init__(self, infra: RealServers) -> None:
        operators = infra.operators()
        access = KafkaAccess(
            operators["KAFKA_BOOTSTRAP_SERVERS"], operators["KAFKA_USERNAME"], SecretStr(operators["KAFKA_PASSWORD"])
        )
        self.keyring = Keyring.from_setting(infra.environment("notifications")["SEALING_KEYS"])
        self._producer = access.producer("test")
        self._consumer = AIOKafkaConsumer(**access.client_arguments(), enable_auto_commit=False)
        self.seen: list[Event[EventData]] = []

    async def __aenter__(self) -> Backbone:
        self._open = AsyncExitStack()
        self._open.push_async_callback(self._producer.stop)
        self._open.push_async_callback(self._consumer.stop)
        try:
            await self._producer.start()
            await self._consumer.start()
            self._consumer.assign([TopicPartition("auth.v1", number) for number in range(PARTITIONS)])
            await self._consumer.seek_to_beginning()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def publish(self, *events: Event[EventData]) -> None:
        """Publish, acknowledged by Kafka."""
        for event in events:
            message = to_message(event)
            await self._producer.send_and_wait(
                message.topic, message.value, key=message.key, headers=list(message.headers)
            )

    async def publish_instead(self, event: Event[EventData], value: bytes) -> None:
        """Publish `event` with another value, which no contract need let through."""
        message = to_message(event)
        await self._producer.send_and_wait(message.topic, value, key=message.key, headers=list(message.headers))

    async def wait_for(
        self,
        kind: str,
        member_number: str,
        which: Callable[[Any], bool] = lambda _: True,
        *,
        of_email: str | None = None,
        within_s: float = WAIT_S,
    ) -> Event[Any]:
        """The first event of that type and member (that satisfies `which`, of that address), however late it comes."""
        deadline = time.monotonic() + within_s
        while True:
            for event in self.of(member_number, kind):
                if which(event.data) and of_email in {None, of_email and self.opened(event, "email")}:
                    return event
            assert time.monotonic() < deadline, f"no {kind} within {within_s} s"
            await self.read(0.2)

    async def one_more(self, kind: str, member_number: str) -> None:
        """Wait for an event of that type and member that was not read yet."""
        before = len(self.of(member_number, kind))
        await self.wait_for(kind, member_number, lambda _: len(self.of(member_number, kind)) > before)

    async def read(self, seconds: float) -> None:
        """Take what comes within `seconds`."""
        batches = await self._consumer.getmany(timeout_ms=int(seconds * 1000))
        for records in batches.values():
            for raw in records:
                record = Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers))
                self.seen.append(parse(record, now=datetime.now(UTC)))

    def of(self, member_number: str, kind: str | None = None) -> list[Event[Any]]:
        """What was read so far of that member, and type if named."""
        return [e for e in self.seen if kind in {None, e.type} and e.data.member_number == member_number]

    def opened(self, event: Event[Any], field: str) -> str:
        """A sealed field of `event`, as notifications opens it."""
        return self.keyring.open(getattr(event.data, field), event_id=event.id, field=field)


def some_network() -> str:
    """The address of a client in a network that nobody used before, most likely."""
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.1"


def some_member(**changes: object) -> MemberEnrolled:
    """A `MemberEnrolled` of somebody new: the published example with a number, NIR and address of its own."""
    number = f"{secrets.randbelow(10**8):08d}"
    nir = f"28405{10 + secrets.randbelow(85)}{secrets.randbelow(10**6):06d}"
    data = golden("MemberEnrolled")["data"]
    own = {"member_number": number, "nir": nir, "email": f"laure.{number}@example.org", **changes}
    return MemberEnrolled.model_validate_json(json.dumps({**data, **own}))


@dataclass(frozen=True, slots=True)
class Signed:
    """A member with an account, and the password of the letter."""

    enrolled: MemberEnrolled
    temporary_password: str

    @property
    def number(self) -> str:
        return self.enrolled.member_number

    @property
    def nir(self) -> str:
        return str(self.enrolled.nir)

    @property
    def email(self) -> str:
        return str(self.enrolled.email)


async def enrol(backbone: Backbone, **changes: object) -> Signed:
    """Enrol somebody new and read their letter's password from auth.v1."""
    enrolled = some_member(**changes)
    await backbone.publish(Event.of(enrolled))
    issued = await backbone.wait_for("TemporaryPasswordIssued", enrolled.member_number)
    return Signed(enrolled, backbone.opened(issued, "password"))
