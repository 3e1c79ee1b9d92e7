"""One auth process for a module, on the session's real servers."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from deploy.local.paths import ROOT
from deploy.local.servers.program import Program, Supervised, http_ok
from shared.mongo import Mongo
from tests.services.auth.driver import AuthApi, Backbone
from tests.stack import RealServers


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings that differ from the defaults; a module overrides this."""
    return {}


@pytest.fixture(scope="module")
def process(infra: RealServers, settings: dict[str, str]) -> Iterator[Supervised]:
    """The running service."""
    environment = {**infra.environment("auth"), "ALTCHA_MAX_NUMBER": "20", **settings}
    ready = partial(http_ok, int(environment["HTTP_PORT"]), "/readyz")
    program = Program("auth", [sys.executable, "-m", "services.auth"], ready, environment, ROOT)
    service = Supervised(program, infra.processes)
    service.start()
    yield service
    if service.started:
        service.stop()


@pytest.fixture
def api(process: Supervised) -> AuthApi:
    """Its HTTP API."""
    environment = process.program.environment
    return AuthApi(f"http://{environment['HTTP_HOST']}:{environment['HTTP_PORT']}")


@pytest.fixture
async def backbone(infra: RealServers) -> AsyncIterator[Backbone]:
    """Kafka."""
    async with Backbone(infra) as backbone:
        yield backbone


@pytest.fixture
async def mongo(infra: RealServers) -> AsyncIterator[Mongo]:
    """Its database, as the store sees it."""
    environment = infra.environment("auth")
    mongo = Mongo(environment["MONGO_URL"], environment["MONGO_DATABASE"])
    yield mongo
    await mongo.stop()
