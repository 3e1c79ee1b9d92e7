"""documents as a process on real servers, auth's keys beside it, and everything around it."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from minio import Minio
from pymongo.database import Database
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.response import Response

from deploy.topology import REGION
from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens
from shared import clock
from shared.app import API_PREFIX
from shared.events.base import Event, EventData
from shared.events.membership import MemberEnrolled
from tests import kafka
from tests.auth_keys import auth_keys
from tests.processes import Service, until
from tests.stack import RealServers

FAST = {
    "INTAKE_KEPT_SECONDS": "0",
    "DELIVERY_RETRY_SECONDS": "0.5",
}
BOUNDARY = "a-boundary-that-no-file-has"
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\0" * 200 + b"\xff\xd9"


def large_pdf(size: int) -> bytes:
    """A PDF of exactly `size` bytes that no two calls make alike."""
    return PDF[:9] + secrets.token_bytes(16) + b"\0" * (size - len(PDF) - 16) + PDF[9:]


def form(fields: Mapping[str, str], content: bytes | None, file_name: str = "facture.pdf") -> bytes:
    """A multipart/form-data body as browsers write it."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode() for name, text in fields.items()]
    if content is not None:
        head = (
            f'Content-Disposition: form-data; name="file"; filename="{file_name}"\r\nContent-Type: text/plain\r\n\r\n'
        )
        parts.append(head.encode() + content)
    line = f"--{BOUNDARY}".encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


INVOICE = {"kind": "invoice", "beneficiary_rank": "1"}


@dataclass
class World:
    """The running service as its neighbours see it."""

    infra: RealServers
    service: Service
    client: Client
    tokens: AccessTokens
    db: Database[dict[str, Any]]
    root: Minio
    casework: Minio
    auth_environment: Mapping[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.environment['HTTP_PORT']}{API_PREFIX}"

    def token(self, number: str, *, read_only: bool = False) -> str:
        """An access token as auth would sign it."""
        return self.tokens.issue(
            member_number=number,
            session_id=secrets.token_hex(8),
            insurer="main",
            required_actions=[],
            now=clock.now(),
            read_only=read_only,
        )

    async def send(
        self,
        number: str,
        content: bytes | None = PDF,
        *,
        fields: Mapping[str, str] = INVOICE,
        name: str = "facture.pdf",
        key: str = "",
    ) -> Response:
        """`POST /documents`."""
        request = self.client.post(f"{self.url}/documents").bearer_auth(self.token(number))
        request = request.header("content-type", f"multipart/form-data; boundary={BOUNDARY}")
        if key:
            request = request.header("idempotency-key", key)
        return await request.body_bytes(form(fields, content, name)).build().send()

    async def sent(self, number: str, content: bytes = PDF, **options: Any) -> str:
        """The id of a document that was taken."""
        answer = await self.send(number, content, **options)
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["document_id"])

    async def get(self, number: str, path: str) -> Response:
        """GET as this member."""
        return await self.client.get(self.url + path).bearer_auth(self.token(number)).build().send()

    async def listed(self, number: str, path: str = "/documents?limit=100") -> list[dict[str, Any]]:
        answer = await self.get(number, path)
        assert answer.status == 200, await answer.text()
        assert answer.get_header("cache-control") == "no-store"
        items: list[dict[str, Any]] = (await answer.json())["items"]
        return items

    async def until_status(self, number: str, document_id: str, status: str) -> dict[str, Any]:
        """The document, once it stands there."""
        seen: dict[str, Any] = {}
        for _ in range(600):
            answer = await self.get(number, f"/documents/{document_id}")
            seen = await answer.json()
            if seen.get("status") == status:
                return seen
            await asyncio.sleep(0.05)
        pytest.fail(f"{document_id} never became {status}: {seen.get('status')}, log {self.service.log}")

    def objects(self, bucket: str) -> dict[str, int]:
        """Name → size of everything in a bucket."""
        return {
            str(found.object_name): int(found.size or 0) for found in self.root.list_objects(bucket, recursive=True)
        }

    def uploads(self, document_id: str) -> int:
        """Multipart uploads of this object that never ended."""
        return len(self.root._list_multipart_uploads("documents-intake", prefix=document_id).uploads)

    def jobs(self, number: str) -> list[dict[str, Any]]:
        return list(self.db["jobs"].find({"member_number": number}))

    async def enrol(self, number: str) -> None:
        """Laure and Hugo; waits until documents knows them."""
        await self.publish(enrolled(number))
        until("the member is known", lambda: self.db["members"].find_one({"_id": number}))

    async def publish(self, *events: Event[Any]) -> None:
        """As the internal systems."""
        await kafka.publish(kafka.of_service(self.infra.operators()), events)

    async def publish_as_auth(self, event: Event[Any]) -> None:
        await kafka.publish(kafka.of_service(self.auth_environment), [event])

    async def published(self, number: str, quiet_s: float = 1.0) -> list[Event[EventData]]:
        """What documents published about this member, once nothing more came for `quiet_s`."""
        # A killed relay's lease ends within seconds; then what it left is published.
        await asyncio.to_thread(until, "everything is published", lambda: not self.db["outbox"].count_documents({}))
        events = await kafka.published(kafka.of_admin(self.infra), "documents.v1", quiet_s)
        return [event for event in events if event.data.member_number == number]


def enrolled(number: str) -> Event[MemberEnrolled]:
    """Laure and her son Hugo."""
    person = {"last_name": "Dupont", "nir": "284057511700128"}
    data = {
        "member_number": number,
        "nir": "284057511700128",
        "title": "MME",
        "first_name": "Laure",
        "last_name": "Dupont",
        "birth_date": "1984-05-12",
        "postal_address": {"lines": ["12 RUE DES LILAS"], "postal_code": "69003", "city": "LYON", "country": "FR"},
        "beneficiaries": [
            {"rank": 1, "first_name": "Laure", "birth_date": "1984-05-12", "relation": "insured", **person},
            {"rank": 2, "first_name": "Hugo", "birth_date": "2015-03-02", "relation": "child", **person},
        ],
        "coverage": {
            "contract_number": "C-1",
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
    return Event.of(MemberEnrolled.model_validate(data, strict=False))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def auth(infra: RealServers) -> Iterator[None]:
    """Its public keys."""
    with auth_keys(infra):
        yield


@pytest.fixture(scope="module")
def service(infra: RealServers, auth: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """documents, with short delays."""
    log = tmp_path_factory.mktemp("documents") / "documents.log"
    running = Service(infra.environment("documents") | FAST, log, name="documents")
    running.start()
    yield running
    running.close()


@pytest.fixture
async def world(infra: RealServers, service: Service) -> AsyncIterator[World]:
    """What a test looks at and moves; the service runs."""
    async with around(infra, service) as made:
        yield made


@asynccontextmanager
async def around(infra: RealServers, service: Service) -> AsyncIterator[World]:
    """The world around one process of documents."""
    environment = infra.environment("auth")
    database: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url, tz_aware=True)
    client = ClientBuilder().no_proxy().timeout(timedelta(seconds=120)).build()
    minio = infra.servers.minio
    try:
        yield World(
            infra=infra,
            service=service,
            client=client,
            tokens=AccessTokens(
                signing_seeds(environment["SIGNING_KEYS"]), issuer=environment["TOKEN_ISSUER"], lifetime_s=300
            ),
            db=database["documents"],
            root=Minio(minio.endpoint, minio.root_user, minio.root_password, secure=False, region=REGION),
            casework=Minio(minio.endpoint, "casework", minio.secret_keys["casework"], secure=False, region=REGION),
            auth_environment=environment,
        )
    finally:
        await client.close()
        database.close()


@pytest.fixture
def number() -> str:
    """A member number that no other test uses."""
    return f"{secrets.randbelow(10**8):08d}"
