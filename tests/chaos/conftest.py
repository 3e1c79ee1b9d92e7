"""auth and claims on the session's real servers, with the simulated internal systems in front of them."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import pymongo
import pytest
from pydantic import SecretStr

from deploy.cli.publisher import Publisher
from deploy.simulator.flow import claims
from deploy.simulator.people import enrolled, population
from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens
from shared import clock
from shared.app import API_PREFIX
from shared.events.base import Event, EventData
from shared.kafka import KafkaAccess
from tests.services.claims.kept import kept_of
from tests.shared.workbench import until
from tests.stack import RealServers, RunningPortal


class Bench:
    """Claims under load, seen from outside: what was published, what its API answers, what it keeps."""

    def __init__(self, infra: RealServers) -> None:
        self.infra, self.portal = infra, RunningPortal(infra)
        self.seed = uuid4().int % 10_000
        self.members = population(self.seed, 60)[1:]  # the first is the same in every population
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url)

    def load(self, count: int) -> list[Event[EventData]]:
        """Enrolments, then `count` claim events of the simulated flow."""
        return [*enrolled(self.members), *islice(claims(self.seed, self.members), count)]

    async def publish(self, events: Sequence[Event[EventData]]) -> None:
        """As the internal systems would: acks=all, idempotent; waits for a Kafka that is away."""
        environment = self.infra.operators()
        access = KafkaAccess(
            environment["KAFKA_BOOTSTRAP_SERVERS"],
            environment["KAFKA_USERNAME"],
            SecretStr(environment["KAFKA_PASSWORD"]),
        )
        async with Publisher(access, timeout_s=60) as publisher:
            for event in events:
                await publisher.publish(event)

    def applied(self) -> int:
        """How many of these members' claim events claims keeps."""
        return len(kept_of(self._client["claims"], [member.member_number for member in self.members]))

    async def until_applied(self, at_least: int, within_s: float = 120) -> None:
        """Wait until that many are applied."""

        async def enough() -> bool:
            return self.applied() >= at_least

        await until(enough, f"{at_least} events applied", within_s)

    def listed(self, member_number: str) -> list[dict[str, Any]]:
        """Every reimbursement that claims' API shows a member."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            status, page, _ = self.get(f"/reimbursements?limit=100{cursor}", member_number)
            assert status == 200, page
            items += page["items"]
            if not page["next_cursor"]:
                return items
            cursor = f"&cursor={page['next_cursor']}"

    def get(self, path: str, member_number: str) -> tuple[int, Any, dict[str, str]]:
        """(status, JSON, headers) of claims' API for this member."""
        auth = self.infra.environment("auth")
        signer = AccessTokens(signing_seeds(auth["SIGNING_KEYS"]), issuer=auth["TOKEN_ISSUER"], lifetime_s=300)
        token = signer.issue(
            member_number=member_number, session_id=uuid4().hex, insurer="main", required_actions=[], now=clock.now()
        )
        return _get(self.portal.url("claims") + API_PREFIX + path, {"Authorization": f"Bearer {token}"})

    def ready(self) -> tuple[int, Any]:
        """claims' `/readyz`."""
        status, body, _ = _get(self.portal.url("claims") + "/readyz", {})
        return status, body

    async def all_well(self) -> bool:
        """Whether each part of claims works again: one that waited longest comes back seconds after the others."""
        status, body = self.ready()
        return (status, body["status"]) == (200, "ok")

    def close(self) -> None:
        self._client.close()


def _get(url: str, headers: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
    try:
        with urlopen(Request(url, headers=headers), timeout=15) as answer:
            return (
                answer.status,
                json.loads(answer.read()),
                {name.lower(): value for name, value in answer.headers.items()},
            )
    except HTTPError as refusal:
        with refusal:
            body = json.loads(refusal.read())
            return refusal.code, body, {name.lower(): value for name, value in refusal.headers.items()}
    except URLError:
        return 0, {}, {}


@pytest.fixture
def bench(infra: RealServers) -> Iterator[Bench]:
    """auth and claims, running."""
    found = Bench(infra)
    try:
        for service in ("auth", "claims"):
            found.portal.start(service)
        yield found
    finally:
        for service in ("claims", "auth"):
            found.portal.stop(service)
        found.close()
