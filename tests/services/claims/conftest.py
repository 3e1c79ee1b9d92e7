"""The claims service as a process of its own on the session's real servers, with auth's keys beside it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile
from typing import Any, TypeVar
from uuid import uuid4

import pymongo
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from pymongo.database import Database
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.response import Response

from deploy.local import topics
from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens
from shared import clock
from shared.app import API_PREFIX
from shared.events.base import Event, EventData
from shared.events.record import to_message
from shared.kafka import KafkaAccess
from tests.auth_keys import auth_keys
from tests.services.claims.paper import Paper
from tests.stack import RealServers, RunningPortal

D = TypeVar("D", bound=EventData)

WITHIN_S = 60.0
"""A bound, not a promise: a process just started joins its group for some seconds, and the machine is shared."""
QUIET_S, AT_MOST_S = 2.0, 5.0
"""How long a payment rests before its statement is announced."""


@dataclass(frozen=True)
class Told:
    """One server-sent event; an `id` alone has an empty name."""

    id: str
    event: str
    data: Any


class Stream:
    """Reads `text/event-stream` as a browser would."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self._text = ""

    async def next(self, within_s: float = WITHIN_S) -> Told | None:
        """The next event or id; None when the stream has ended. Comments and `retry` are passed over."""
        async with asyncio.timeout(within_s):
            while True:
                block, ended, rest = self._text.partition("\n\n")
                if not ended:
                    chunk = await self.response.body_reader.read_chunk()
                    if chunk is None:
                        return None
                    self._text += bytes(chunk).decode()
                    continue
                self._text = rest
                told = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                if "id" in told:
                    return Told(told["id"], told.get("event", ""), json.loads(told.get("data", "null")))

    async def begun(self) -> str:
        """The id that says from where the stream tells everything; what was missed comes before it."""
        told = await self.next()
        assert told is not None
        assert told.event == "", told
        return told.id


@dataclass
class ClaimsService:
    """The running service as its neighbours see it: Kafka on one side, HTTP on the other, its database to look into."""

    portal: RunningPortal
    db: Database[dict[str, Any]]
    producer: AIOKafkaProducer
    client: Client
    tokens: AccessTokens
    auth_environment: Mapping[str, str] = field(repr=False)
    operators: Mapping[str, str] = field(repr=False)
    told: dict[str, Event[Any]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    """What was read so far of what claims publishes, by id, and up to where in each partition."""

    async def publish(self, *events: Event[Any]) -> None:
        """Publish in this order and wait for the broker's acknowledgement."""
        for event in events:
            message = to_message(event)
            await self.publish_raw(message.topic, message.key, message.value, list(message.headers))

    async def publish_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Any) -> None:
        """Publish a record as it is, good or bad."""
        await self.producer.send_and_wait(topic, value, key=key, headers=headers)

    async def publish_as_auth(self, event: Event[Any]) -> None:
        """Publish an event of auth's, with auth's rights."""
        message = to_message(event)
        async with _producer(self.auth_environment) as producer:
            await producer.send_and_wait(message.topic, message.value, key=message.key, headers=list(message.headers))

    async def announced(self, kind: type[D], member_number: str, count: int, *, within_s: float = WITHIN_S) -> list[D]:
        """What claims published of that kind about the member: once there are `count`, and a quiet time later."""
        found: list[D] = []
        try:
            async with asyncio.timeout(within_s):
                while len(found) < count:
                    await asyncio.sleep(0.1)
                    found = await self._announced(kind, member_number)
        except TimeoutError as late:
            raise AssertionError(f"{len(found)} {kind.__name__} of {count}; {self._standing(member_number)}") from late
        await asyncio.sleep(QUIET_S + 0.5)
        return await self._announced(kind, member_number)

    def _standing(self, member_number: str) -> str:
        """Where the member's events have got to."""
        claims = self.db["claims"].count_documents({"member_number": member_number})
        waiting = self.db["jobs"].find({"data.payments.member_number": member_number})
        reasons = [letter["reason"] for letter in self.db["dead_letters"].find()]
        jobs = [(job["kind"], job["attempts"], job["due_at"], job["lease"]) for job in waiting]
        return f"{claims} claims, jobs {jobs}, dead letters {reasons}"

    async def _announced(self, kind: type[D], member_number: str) -> list[D]:
        def read() -> list[D]:
            followed = topics.follow(self.operators, [kind.topic], self.positions, WITHIN_S)
            # The relay of a killed process repeats what it could not delete any more: by its id it is the same event.
            self.told |= {event.id: event for event in takewhile(lambda event: event is not None, followed) if event}
            data = [event.data for event in self.told.values()]
            return [one for one in data if isinstance(one, kind) and one.member_number == member_number]

        return await asyncio.to_thread(read)

    def token(self, member_number: str, session_id: str = "", **claims: Any) -> str:
        """An access token as auth would sign it."""
        told: dict[str, Any] = {"insurer": "main", "required_actions": [], "now": clock.now()}
        return self.tokens.issue(member_number=member_number, session_id=session_id or uuid4().hex, **told | claims)

    async def get(self, path: str, member_number: str, **query: str | int) -> Response:
        """GET as this member."""
        request = self.client.get(self.portal.url("claims") + API_PREFIX + path).query(
            {k: str(v) for k, v in query.items()}
        )
        return await request.bearer_auth(self.token(member_number)).build().send()

    async def pdf(self, path: str, member_number: str, **query: str | int) -> Paper:
        """A paper, which must be answered with 200 as a private file."""
        answer = await self.get(path, member_number, **query)
        assert (answer.status, answer.get_header("content-type")) == (200, "application/pdf"), await answer.text()
        assert answer.get_header("cache-control") == "no-store"
        return Paper(bytes(await answer.bytes()), str(answer.get_header("content-disposition")))

    async def listed(self, member_number: str, **query: str | int) -> dict[str, Any]:
        """The member's list, which must be answered with 200."""
        answer = await self.get("/reimbursements", member_number, **query)
        assert answer.status == 200, await answer.text()
        assert answer.get_header("cache-control") == "no-store"
        page: dict[str, Any] = await answer.json()
        return page

    @asynccontextmanager
    async def stream(self, token: str, last_event_id: str = "", **query: int) -> AsyncIterator["Stream"]:
        """An open `GET /stream`."""
        request = self.client.get(self.portal.url("claims") + API_PREFIX + "/stream").bearer_auth(token)
        request = request.query({name: str(value) for name, value in query.items()})
        if last_event_id:
            request = request.header("last-event-id", last_event_id)
        request = request.timeout(timedelta(minutes=10)).streamed_read_buffer_limit(0)  # else it waits for 64 KiB
        async with request.build_streamed() as response:
            yield Stream(response)

    async def until_known(self, member_number: str, *, periods: int = 1) -> None:
        """Wait until the member is known with that many coverage periods: it comes on a topic of its own."""
        known = 0
        async with asyncio.timeout(WITHIN_S):
            while known < periods:
                await asyncio.sleep(0.05)
                known = len((self.db["members"].find_one({"_id": member_number}) or {}).get("coverages", ()))

    async def until_listed(self, member_number: str, *claim_ids: str, **query: str | int) -> list[dict[str, Any]]:
        """Wait until exactly these claims answer the query, and return them."""
        items: list[dict[str, Any]] = []
        async with asyncio.timeout(WITHIN_S):
            while {item["claim_id"] for item in items} != set(claim_ids):
                await asyncio.sleep(0.05)
                items = (await self.listed(member_number, limit=100, **query))["items"]
        return items


@pytest.fixture(scope="module")
def processes(infra: RealServers) -> Iterator[RunningPortal]:
    """claims."""
    portal = RunningPortal(
        infra, {"STATEMENT_QUIET_SECONDS": str(QUIET_S), "STATEMENT_AT_MOST_SECONDS": str(AT_MOST_S)}
    )
    with auth_keys(infra):
        try:
            portal.start("claims")
            yield portal
        finally:
            portal.stop("claims")


@pytest.fixture
async def service(infra: RealServers, processes: RunningPortal) -> AsyncIterator[ClaimsService]:
    """The claims service, running."""
    auth = infra.environment("auth")
    tokens = AccessTokens(signing_seeds(auth["SIGNING_KEYS"]), issuer=auth["TOKEN_ISSUER"], lifetime_s=300)
    database: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url, tz_aware=True)
    client = ClientBuilder().no_proxy().timeout(timedelta(seconds=30)).build()
    try:
        async with _producer(infra.operators()) as producer:
            yield ClaimsService(processes, database["claims"], producer, client, tokens, auth, infra.operators())
    finally:
        await client.close()
        database.close()


@asynccontextmanager
async def _producer(environment: Mapping[str, str]) -> AsyncIterator[AIOKafkaProducer]:
    password = SecretStr(environment["KAFKA_PASSWORD"])
    access = KafkaAccess(environment["KAFKA_BOOTSTRAP_SERVERS"], environment["KAFKA_USERNAME"], password)
    producer = access.producer("claims-tests")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@pytest.fixture
def member() -> str:
    """A member number that no other test uses."""
    return f"{uuid4().int % 10**8:08d}"
