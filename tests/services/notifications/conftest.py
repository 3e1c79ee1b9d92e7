"""notifications as a process on real servers, and what surrounds it: Kafka in and out, the bucket, the mail reader."""

import json
import os
import random
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pypdfium2
import pytest
import urllib3
from minio import Minio
from minio.error import S3Error

from shared.events.auth import TemporaryPasswordIssued
from shared.events.base import Event, EventData
from shared.events.membership import MemberEnrolled
from shared.ids import new_id
from shared.sealing import Keyring
from tests import kafka
from tests.auth_keys import auth_keys
from tests.processes import Service, until
from tests.services.notifications.asking import Asking
from tests.stack import RealServers


@dataclass
class World:
    """Everything around notifications that a test looks at or moves."""

    infra: RealServers
    keyring: Keyring
    at_rest: Keyring
    db: Any
    bucket: Minio

    async def publish(self, *events: Event[Any]) -> None:
        """In this order, each acknowledged before the next."""
        await kafka.publish(kafka.of_admin(self.infra), events)

    async def published(self, *member_numbers: str, quiet_s: float = 1.0) -> list[Event[EventData]]:
        """What notifications published about these members so far, once nothing more came for `quiet_s`."""
        events = await kafka.published(kafka.of_admin(self.infra), "notifications.v1", quiet_s)
        return [event for event in events if event.data.member_number in member_numbers]

    async def published_about(self, member_numbers: list[str]) -> dict[str, set[str]]:
        """The ids of what was published about each of these members."""
        ids: dict[str, set[str]] = {}
        for event in await self.published(*member_numbers):
            ids.setdefault(event.data.member_number, set()).add(event.id)
        return ids

    def letters(self, member_number: str) -> list[str]:
        """The objects in the bucket that belong to the member's letters."""
        ids = [row["_id"] for row in self.db["letters"].find({"member_number": member_number})]
        return [f"{letter_id}.pdf" for letter_id in ids if self.has(f"{letter_id}.pdf")]

    def has(self, name: str) -> bool:
        try:
            self.bucket.stat_object("letters", name)
        except S3Error:
            return False
        return True

    def letter_lines(self, name: str) -> list[str]:
        response = self.bucket.get_object("letters", name)
        try:
            data = response.read()
        finally:
            response.close()
            response.release_conn()
        document = pypdfium2.PdfDocument(data)
        try:
            text: str = document[0].get_textpage().get_text_bounded()
        finally:
            document.close()
        return [line.strip() for line in text.splitlines()]

    def mails(self, to: str) -> list[dict[str, Any]]:
        """The mails that arrived at an address: Mailpit's message, with `Text`, `HTML` and `Headers`."""
        found = self._mailpit(f"/api/v1/search?query=to:%22{to}%22")
        messages = [self._mailpit(f"/api/v1/message/{message['ID']}") for message in found["messages"]]
        return [m | {"Headers": self._mailpit(f"/api/v1/message/{m['ID']}/headers")} for m in messages]

    def _mailpit(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.infra.mailpit_url}{path}", timeout=5) as answer:
            return json.load(answer)

    # Events as the other services publish them

    def enrolled(self, number: str, **changes: Any) -> Event[MemberEnrolled]:
        """Laure Dupont, with `changes`."""
        return Event.of(MemberEnrolled.model_validate_json(json.dumps(LAURE | {"member_number": number} | changes)))

    def issued(
        self, number: str, password: str, *, lasts: timedelta = timedelta(days=30)
    ) -> Event[TemporaryPasswordIssued]:
        """A temporary password for the first sign-in."""
        event_id, now = new_id(), datetime.now(UTC)
        data = TemporaryPasswordIssued(
            member_number=number,
            reason="enrolment",
            identifier_kind="nir",
            password=self.keyring.seal(password, event_id=event_id, field="password"),
            expires_at=now + lasts,
        )
        return Event.of(data, id=event_id, time=now)


LAURE: dict[str, Any] = {
    "nir": "284057511700128",
    "title": "MME",
    "first_name": "Laure",
    "last_name": "Dupont",
    "birth_date": "1984-05-12",
    "email": "laure.dupont@example.org",
    "language": "fr",
    "postal_address": {"lines": ["12 RUE DES LILAS"], "postal_code": "69003", "city": "LYON", "country": "FR"},
    "beneficiaries": [
        {
            "rank": 1,
            "first_name": "Laure",
            "last_name": "Dupont",
            "birth_date": "1984-05-12",
            "nir": "284057511700128",
            "relation": "insured",
        }
    ],
    "coverage": {
        "contract_number": "C-2026-0001",
        "contract_name": "Confort",
        "amc_number": "0123456789",
        "agreement_type": "SP",
        "csr": "01",
        "responsible_contract": True,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "guarantees": [],
    },
}


@pytest.fixture(scope="module")
def world(infra: RealServers) -> Iterator[World]:
    """The servers around notifications."""
    environment = infra.environment("notifications")
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url, tz_aware=True)
    pool = urllib3.PoolManager(timeout=5.0, retries=urllib3.Retry(total=0, raise_on_redirect=False))
    yield World(
        infra=infra,
        keyring=Keyring.from_setting(environment["SEALING_KEYS"]),
        at_rest=Keyring.from_setting(environment["AT_REST_KEYS"]),
        db=client["notifications"],
        bucket=Minio(
            environment["MINIO_ENDPOINT"],
            access_key=environment["MINIO_ACCESS_KEY"],
            secret_key=environment["MINIO_SECRET_KEY"],
            region=environment["MINIO_REGION"],
            secure=False,
            http_client=pool,
        ),
    )
    pool.clear()
    client.close()


@pytest.fixture(scope="module")
def service(infra: RealServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """notifications, running."""
    log = tmp_path_factory.mktemp("notifications") / "notifications.log"
    running = Service(infra.environment("notifications"), log, "notifications")
    running.start()
    yield running
    running.close()
    if os.environ.get("KEEP_TEST_DATA"):
        print(f"\nlog of notifications: {log}")  # noqa: T201


@pytest.fixture(scope="module")
def asking(infra: RealServers, service: Service) -> Iterator[Asking]:
    """HTTP as a member."""
    with auth_keys(infra):
        asking = Asking(infra, service)
        until("auth's keys are known", lambda: asking.get("00000000", "/messages").status == 200)
        yield asking


@pytest.fixture
def number() -> str:
    """A member number that no other test uses."""
    return f"{random.randrange(10**8):08d}"  # noqa: S311


@pytest.fixture
async def back_on(infra: RealServers) -> AsyncIterator[RealServers]:
    """The servers, each of them running again afterwards whatever the test did."""
    yield infra
    for name in ("minio", "mailpit"):
        server = infra.process(name)
        try:
            running = server.process.running
        except LookupError:
            running = False
        if not running:
            server.start()
