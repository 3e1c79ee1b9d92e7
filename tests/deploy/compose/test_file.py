"""`docker-compose.yml` gives what the native stack gives, to the same users, and every container is hardened alike."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.compose import env
from deploy.compose.outside import operators
from deploy.local import versions
from deploy.local.environment import PROCESSES, Environments
from deploy.local.paths import ROOT
from deploy.local.ports import Ports
from deploy.local.secrets import KAFKA_BROKER, KEYS, MINIO_ROOT, PASSWORDS, Secrets
from deploy.local.servers import kafka, mongo
from deploy.local.servers.program import base_environment
from deploy.provision import Servers
from deploy.topology import GATEWAY, KAFKA_ADMIN, OPERATORS, PRINCIPALS, REGION, REPLICA_SET
from services.auth.settings import AuthSettings
from services.claims.settings import ClaimsSettings
from services.documents.settings import DocumentsSettings
from services.gateway.settings import GatewaySettings
from services.notifications.settings import NotificationsSettings
from shared.parts import STOP_TIMEOUT_S
from shared.settings import ServiceSettings
from tests.deploy.compose.file import TEXT, VARIABLE, compose, services

SECRETS = Secrets.drawn()
ENV = {**env.read(ROOT / ".env.example"), **env.variables(SECRETS)}
SERVICES = services(ENV)
SETTINGS: dict[str, type[ServiceSettings]] = {
    "auth": AuthSettings,
    "claims": ClaimsSettings,
    "documents": DocumentsSettings,
    "notifications": NotificationsSettings,
    "gateway": GatewaySettings,
}
# They end by themselves, or (the simulator) only ever call others: nobody can ask them how they are.
WITHOUT_HEALTH = {"provision", "portal", "simulator"}


def native(service: str) -> dict[str, str]:
    """The service's environment in the native stack, without what any process has."""
    full = Environments(Ports(), SECRETS).of(service)
    return {name: value for name, value in full.items() if name not in base_environment()}


@pytest.mark.parametrize("service", PROCESSES)
def test_a_service_gets_every_setting_that_the_native_stack_gives_it_and_only_settings_it_has(service: str) -> None:
    given = SERVICES[service]["environment"]
    assert native(service).keys() <= given.keys()
    known = {name.upper() for name in SETTINGS[service].model_fields}
    assert given.keys() <= known


@pytest.mark.parametrize("service", PROCESSES)
def test_a_service_gets_its_own_secrets_each_in_the_same_setting_as_natively(service: str) -> None:
    given = SERVICES[service]["environment"]
    assert {name: _secrets_in(value) for name, value in native(service).items()} == {
        name: _secrets_in(given[name]) for name in native(service)
    }
    assert not [name for name in given.keys() - native(service).keys() if _secrets_in(given[name])]


@pytest.mark.parametrize("service", PROCESSES)
def test_users_databases_and_ports_are_those_of_the_native_stack(service: str) -> None:
    given = SERVICES[service]["environment"]
    hosts = re.compile(
        r"(127\.0\.0\.1|0\.0\.0\.0|localhost|\b(kafka|mongo|minio|mailpit|auth|claims|documents|notifications)(?=:\d))"
    )
    for name, value in native(service).items():
        if name != "SMTP_HOST":
            assert hosts.sub("HOST", given[name]) == hosts.sub("HOST", value), name


@pytest.mark.parametrize("service", PROCESSES)
def test_a_service_starts_with_what_compose_gives_it(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES[service]["environment"].items():
        monkeypatch.setenv(name, value)
    assert SETTINGS[service]().http_port == Ports().of(service)


def test_provisioning_gets_what_it_gets_natively() -> None:
    given = Servers.from_environment(SERVICES["provision"]["environment"])
    natively = Environments(Ports(), SECRETS).servers()
    assert given.kafka.password == natively.kafka.password
    assert given.mongo.passwords == natively.mongo.passwords
    assert (given.minio.root_user, given.minio.root_password) == (
        natively.minio.root_user,
        natively.minio.root_password,
    )
    assert given.minio.secret_keys == natively.minio.secret_keys
    assert f"{mongo.ROOT}:{SECRETS['mongo/root']}@" in given.mongo.admin_url


def test_the_operators_have_the_same_access_inside_and_by_the_published_ports() -> None:
    natively = Environments(Ports(), SECRETS).operators()
    assert operators(ENV) == {name: value for name, value in natively.items() if name != "MONGO_URL"}
    inside = SERVICES["portal"]["environment"]
    assert {name: inside[name] for name in ("KAFKA_USERNAME", "KAFKA_PASSWORD")} == {
        name: natively[name] for name in ("KAFKA_USERNAME", "KAFKA_PASSWORD")
    }
    assert inside["MONGO_URL"] == natively["MONGO_URL"].replace("127.0.0.1", "mongo")
    assert SERVICES["simulator"]["environment"].items() <= inside.items()


def test_kafka_has_the_native_settings() -> None:
    given = _properties(ROOT / "deploy/compose/kafka/server.properties")
    natively = kafka.broker_settings(Path("/data"), Ports(), SECRETS)
    # Where it listens and keeps its data, and who may come in by which listener, is each one's own.
    own = {"listeners", "advertised.listeners", "listener.security.protocol.map", "log.dirs"}
    own |= {"controller.quorum.bootstrap.servers", "controller.quorum.voters"}
    own |= {name for name in natively if name.endswith("jaas.config")}
    assert {k: v for k, v in given.items() if k not in own} == {k: v for k, v in natively.items() if k not in own}


def test_kafka_knows_every_user_inside_and_only_the_operators_from_outside() -> None:
    given = SERVICES["kafka"]["environment"]
    inside = {KAFKA_BROKER, KAFKA_ADMIN, *(principal.name for principal in PRINCIPALS)}
    assert _users(given["KAFKA_LISTENER_NAME_CLIENTS_PLAIN_SASL_JAAS_CONFIG"]) == inside
    assert _users(given["KAFKA_LISTENER_NAME_EXTERNAL_PLAIN_SASL_JAAS_CONFIG"]) == {OPERATORS}
    assert _users(given["KAFKA_LISTENER_NAME_CONTROLLER_PLAIN_SASL_JAAS_CONFIG"]) == {KAFKA_BROKER}


def test_mongodb_is_a_replica_set_whose_transactions_end_by_themselves() -> None:
    command = SERVICES["mongo"]["command"]
    assert command[-len(mongo.options()) :] == mongo.options()
    assert "transactionLifetimeLimitSeconds=10" in command
    assert command[command.index("--replSet") + 1] == REPLICA_SET
    assert f'_id: "{REPLICA_SET}"' in (ROOT / "deploy/compose/mongo/healthy.js").read_text()
    assert "--auth --keyFile" in (ROOT / "deploy/compose/mongo/start.sh").read_text()


def test_minio_has_its_region_and_its_administrator() -> None:
    given = SERVICES["minio"]["environment"]
    assert given["MINIO_SITE_REGION"] == REGION
    assert (given["MINIO_ROOT_USER"], given["MINIO_ROOT_PASSWORD"]) == (MINIO_ROOT, SECRETS[f"minio/{MINIO_ROOT}"])


def test_images_are_the_versions_of_the_native_stack() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{versions.KAFKA}"
    assert SERVICES["mailpit"]["image"] == f"axllent/mailpit:{versions.MAILPIT.partition('@')[2]}"
    assert f"ARG MINIO={versions.MINIO}\n" in (ROOT / "deploy/images/minio/Dockerfile").read_text()
    python = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["python_version"]
    bases = re.findall(r"^FROM (\S+)", (ROOT / "deploy/images/services/Dockerfile").read_text(), re.MULTILINE)
    assert set(bases) == {f"python:{python}-slim"}


def test_every_secret_is_required_and_says_what_to_do() -> None:
    secret = set(env.variables(SECRETS))
    used = {found["name"]: (found["how"], found["rest"]) for found in VARIABLE.finditer(TEXT)}
    assert secret <= used.keys()
    assert {used[name] for name in secret} == {(":?", "run make env")}
    assert not re.search(r"\$(?!\{[A-Z0-9_]+:[?-])", TEXT)  # any other form would be silently empty


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_bounded_and_can_change_nothing_but_its_data(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert int(service["user"].split(":")[0]) > 0
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all("size=" in mount for mount in service.get("tmpfs", []))
    assert all(volume.endswith(":ro") for volume in service.get("volumes", []) if volume.startswith("."))


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_watched_and_restarted_unless_it_is_to_end(name: str) -> None:
    service = SERVICES[name]
    assert ("healthcheck" in service) is (name not in WITHOUT_HEALTH)
    assert service["restart"] == ("no" if name in {"provision", "portal"} else "unless-stopped")
    for needed, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed == "provision" else "service_healthy"
        assert how == {"condition": wanted}


def test_a_service_has_time_for_its_graceful_stop() -> None:
    drain = ServiceSettings.model_fields["http_drain_seconds"].default
    for service in PROCESSES:
        # Consumer, relay, and up to two parts of its own that each take all they may.
        assert int(SERVICES[service]["stop_grace_period"].removesuffix("s")) >= drain + 4 * STOP_TIMEOUT_S


def test_ports_are_published_on_the_loopback_interface_and_none_of_a_services_own() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "gateway": ["127.0.0.1:8080:8080"],
        "kafka": ["127.0.0.1:9092:19092"],
        "minio": ["127.0.0.1:9000:9000", "127.0.0.1:9001:9001"],
        "mailpit": ["127.0.0.1:8025:8025"],
        "prometheus": ["127.0.0.1:9090:9090"],
    }


def test_only_what_needs_it_can_reach_the_outside() -> None:
    inner = {name for name, network in compose()["networks"].items() if network.get("internal")}
    assert {name for name, service in SERVICES.items() if not set(service["networks"]) <= inner} == {
        *("gateway", "kafka", "minio", "prometheus"),
        *("notifications", "mailpit"),
    }
    assert "back" not in SERVICES[GATEWAY]["networks"]  # the gateway has no way to a database


def test_only_the_demo_profile_brings_a_mailbox_and_made_up_members() -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "mailpit": ["demo"],
        "simulator": ["demo"],
        "portal": ["tools"],
    }


def test_prometheus_asks_every_service_on_the_port_that_has_its_metrics() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    asked = {job["job_name"]: job["dns_sd_configs"] for job in jobs}
    assert asked.keys() == set(PROCESSES)
    for name, (found,) in asked.items():
        setting = "METRICS_PORT" if name == GATEWAY else "HTTP_PORT"
        assert (found["names"], str(found["port"])) == ([name], SERVICES[name]["environment"][setting])
        # By one common network only: a name with two addresses would count everything twice.
        assert len(set(SERVICES[name]["networks"]) & set(SERVICES["prometheus"]["networks"])) == 1


def _secrets_in(value: str) -> set[str]:
    return {name for name in (*PASSWORDS, *KEYS) if SECRETS[name] in value}


def _properties(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def _users(jaas: Any) -> set[str]:
    found = dict(re.findall(r'user_(\S+)="([^"]+)"', jaas))
    assert found == {name: SECRETS[f"kafka/{name}"] for name in found}
    return set(found)
