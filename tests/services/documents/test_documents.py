"""documents as a process on real servers: its health, its metrics, its refusal to start half-configured."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import HOST
from tests.processes import Service, until
from tests.stack import RealServers

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def service(infra: RealServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """documents, running."""
    log = tmp_path_factory.mktemp("documents") / "documents.log"
    running = Service(infra.environment("documents"), log, name="documents")
    running.start()
    yield running
    running.close()


def test_it_lives_is_ready_and_measures_itself(service: Service) -> None:
    assert service.get("/livez")[0] == 200
    until("its parts have started", lambda: service.ready()[1].get("minio") == "ok")
    assert service.ready()[1]["mongo"] == "ok"
    assert 'espace_part_up{part="minio"} 1.0' in service.get("/metrics")[1]


def test_without_the_object_store_it_is_degraded_and_still_ready(infra: RealServers, service: Service) -> None:
    until("its parts have started", lambda: service.ready()[1].get("minio") == "ok")
    infra.process("minio").kill()
    try:
        status, parts = service.ready()
        assert (status, parts["minio"], parts["mongo"]) == (200, "unreachable", "ok")
        assert '"status":"degraded"' in service.get("/readyz")[1]
        assert 'espace_part_up{part="minio"} 0.0' in service.get("/metrics")[1]
    finally:
        infra.process("minio").start()
    until("the store is seen again", lambda: service.ready()[1].get("minio") == "ok")


def test_an_object_store_that_never_answers_delays_neither_the_health_answer_nor_the_end(
    infra: RealServers, tmp_path: Path
) -> None:
    with socket.create_server((HOST, 0)) as silent:
        endpoint = f"{HOST}:{silent.getsockname()[1]}"
        impatient = {"MINIO_ENDPOINT": endpoint, "MINIO_READ_SECONDS": "3"}
        service = Service(infra.environment("documents") | impatient, tmp_path / "documents.log", name="documents")
        try:
            service.start()  # it asks for the health until there is an answer
            until("the silence shows", lambda: service.ready()[1].get("minio") == "unanswered")
            assert service.ready()[0] == 200
            assert service.stop() == 0
        finally:
            service.close()


def test_without_the_database_it_is_not_ready_and_comes_back_by_itself(infra: RealServers, service: Service) -> None:
    infra.process("mongo").kill()
    try:
        assert service.get("/livez")[0] == 200
        status, parts = service.ready()
        assert (status, parts["mongo"]) in {(503, "unreachable"), (503, "unanswered")}  # a half-dead connection
    finally:
        infra.process("mongo").start()
    until("ready again", lambda: service.ready()[0] == 200)


@pytest.mark.parametrize("name", ["MINIO_ENDPOINT", "MINIO_SECRET_KEY", "MONGO_URL"])
def test_a_missing_setting_is_named_and_nothing_starts(infra: RealServers, name: str) -> None:
    environment = {key: value for key, value in infra.environment("documents").items() if key != name}
    refused = subprocess.run(
        [sys.executable, "-m", "services.documents"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode == 78
    assert f"setting {name} is missing" in refused.stderr.decode()


def test_asked_to_end_it_ends_well(service: Service) -> None:
    assert service.stop() == 0
