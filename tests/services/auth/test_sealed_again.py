"""A new key at rest: what auth has stored is sealed again behind the members' backs, then the old key can go."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from deploy.local.paths import ROOT
from deploy.local.servers.program import Program, Supervised, http_ok
from shared.events.base import Event
from shared.sealing import Keyring, beginning_at_rest
from tests.processes import until
from tests.services.auth.changing import confirmed, move, undo, wish
from tests.services.auth.driver import AuthApi, Backbone
from tests.services.auth.resetting import NEXT, OWN, ask, confirm, link_token, with_address
from tests.stack import RealServers

pytestmark = pytest.mark.servers

OLD, NEW = (f"auth/{number}:{secrets.token_urlsafe(32)}" for number in (1, 2))
BULK = 4_000


class Auth:
    """An auth process with a database of its own, started with one ring of keys after the other."""

    def __init__(self, infra: RealServers) -> None:
        self._infra, self._name = infra, f"auth-{uuid4().hex[:8]}"
        environment = infra.environment("auth") | {"MONGO_URL": infra.mongo_admin_url, "MONGO_DATABASE": self._name}
        self._environment = environment | {"ALTCHA_MAX_NUMBER": "20"}
        self.client = pymongo.MongoClient[dict[str, Any]](infra.mongo_admin_url)
        self.db: Database[dict[str, Any]] = self.client[self._name]
        self.api = AuthApi(f"http://{environment['HTTP_HOST']}:{environment['HTTP_PORT']}")
        self._running: Supervised | None = None

    def start(self, *ring: str) -> None:
        self.stop()
        environment = {**self._environment, "AT_REST_KEYS": ",".join(ring)}
        ready = partial(http_ok, int(environment["HTTP_PORT"]), "/readyz")
        program = Program("auth", [sys.executable, "-m", "services.auth"], ready, environment, ROOT)
        self._running = Supervised(program, self._infra.processes)
        self._running.start()

    def stop(self) -> None:
        if self._running:
            self._running.stop()
            self._running = None

    def kill(self) -> None:
        assert self._running
        self._running.kill()
        self._running = None

    def close(self) -> None:
        self.stop()
        self.client.drop_database(self._name)
        self.client.close()

    def sealed_with(self, kid: str) -> dict[str, int]:
        """How often something sealed at rest with that key occurs anywhere in the database, by collection."""
        raw, beginning = CodecOptions(document_class=RawBSONDocument), beginning_at_rest(kid).encode()
        found = {}
        for name in self.db.list_collection_names():
            rows: Any = self.db.get_collection(name, codec_options=raw).find()
            found[name] = sum(bytes(row.raw).count(beginning) for row in rows)
        return {name: times for name, times in found.items() if times}

    def in_use(self) -> list[str]:
        row = self.db["at_rest_keys"].find_one({"_id": "in_use"})
        return row["keys"] if row else []


@pytest.fixture
def auth(infra: RealServers) -> Iterator[Auth]:
    """Not started."""
    service = Auth(infra)
    yield service
    service.close()


async def test_after_a_rotation_nothing_is_left_under_the_old_key_and_members_notice_nothing(
    auth: Auth, backbone: Backbone
) -> None:
    """Killed in the middle, too."""
    await asyncio.to_thread(auth.start, OLD)
    member = await with_address(auth.api, backbone)
    moved = f"autre.{member.number}@example.org"
    undo_token = await move(auth.api, backbone, member, member.email, moved)
    asked = await wish(auth.api, await confirmed(auth.api, moved), kind="email", email=f"en.vue.{moved}")
    assert asked.status == 202
    await backbone.publish(Event.of(member.enrolled.model_copy(update={"insurer": "another"})))  # a dead letter
    await asyncio.to_thread(until, "a dead letter", lambda: auth.db["dead_letters"].count_documents({}))
    await asyncio.to_thread(_fill, auth)
    before = await asyncio.to_thread(auth.sealed_with, "auth/1")
    assert before == {"accounts": 4, "undo_links": 1, "dead_letters": BULK + 1}
    events = auth.db["member_sequences"].find_one({"_id": member.number})

    await asyncio.to_thread(auth.start, NEW, OLD)
    await asyncio.to_thread(until, "some sealed again", lambda: auth.sealed_with("auth/2"))
    await asyncio.to_thread(auth.kill)
    left = await asyncio.to_thread(auth.sealed_with, "auth/1")
    assert 0 < sum(left.values()) < sum(before.values())
    assert auth.in_use() == ["auth/1", "auth/2"]
    await asyncio.to_thread(auth.start, NEW, OLD)
    await asyncio.to_thread(until, "only the new key in use", lambda: auth.in_use() == ["auth/2"])
    assert await asyncio.to_thread(auth.sealed_with, "auth/1") == {}
    assert await asyncio.to_thread(auth.sealed_with, "auth/2") == before
    assert auth.db["member_sequences"].find_one({"_id": member.number}) == events  # nothing was published

    await asyncio.to_thread(auth.start, NEW)
    signed_in = await auth.api.sign_in(moved, OWN)
    account = await auth.api.call("GET", "/account", token=signed_in.body["access_token"])
    assert account.body["nir_masked"].startswith("2 84 ")
    assert account.body["pending_email_masked"].startswith("e***@")
    assert (await ask(auth.api, member, moved)).status == 202
    link = await link_token(backbone, member)
    assert (await confirm(auth.api, link, NEXT)).status == 200
    assert (await undo(auth.api, undo_token)).status == 200  # which ends the password, and mails a link
    assert (await confirm(auth.api, await link_token(backbone, member, other_than=link), OWN)).status == 200
    assert (await auth.api.sign_in(member.email, OWN)).status == 200


def _fill(auth: Auth) -> None:
    """So much that a process can be killed before it is through."""
    ring = Keyring.from_setting(OLD)
    rows = [{"_id": f"x-{n}", "sealed": ring.seal_at_rest("x", context=f"dead_letters/x-{n}")} for n in range(BULK)]
    auth.db["dead_letters"].insert_many(rows)
