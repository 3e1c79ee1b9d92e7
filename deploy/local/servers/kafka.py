"""Kafka: one KRaft node, SASL/PLAIN users from the topology, nothing allowed that is not listed."""

from __future__ import annotations

import base64
import shutil
import uuid
from pathlib import Path
from typing import Final

from deploy.local.ports import HOST, Ports, answers
from deploy.local.processes import Processes
from deploy.local.secrets import KAFKA_BROKER, Secrets, write_private
from deploy.local.servers.program import Program, base_environment
from deploy.local.tools import Tools
from deploy.topology import KAFKA_ADMIN, PRINCIPALS

HEAP_MIB: Final = 512
_LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def program(
    folder: Path, ports: Ports, tools: Tools, processes: Processes, secrets: Secrets, *, short_lived: bool = False
) -> Program:
    """The broker, its storage formatted on the first start. ``folder`` is its own.

    ``short_lived``: for minutes and little load; it starts with half the processor time, and never gets as fast.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings, data = folder / "server.properties", folder / "data"
    write_private(settings, "".join(f"{key}={value}\n" for key, value in broker_settings(data, ports, secrets).items()))
    java = [str(tools.java), f"-Xmx{HEAP_MIB}m", *_LOGGING]
    if not (data / "meta.properties").exists():
        shutil.rmtree(data, ignore_errors=True)  # of a format that was interrupted
        storage_tool = [*java, *_SHORT_LIVED, "-cp", tools.kafka_jars, "kafka.tools.StorageTool"]
        how = ["format", "--standalone", "-t", _cluster_id(), "-c", str(settings)]
        processes.run("kafka-format", [*storage_tool, *how], base_environment())
    command = [*java, *(_SHORT_LIVED if short_lived else ()), "-cp", tools.kafka_jars, "kafka.Kafka", str(settings)]
    return Program("kafka", command, lambda: answers(ports.kafka), folder=folder)


_LOGGING: Final = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)

_SHORT_LIVED: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def broker_settings(data: Path, ports: Ports, secrets: Secrets) -> dict[str, str]:
    """``server.properties``; what no address or secret is in must be the same in deploy/compose/kafka."""
    clients = (KAFKA_BROKER, KAFKA_ADMIN, *(principal.name for principal in PRINCIPALS))
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"CLIENTS://{HOST}:{ports.kafka},CONTROLLER://{HOST}:{ports.kafka_controller}",
        "advertised.listeners": f"CLIENTS://{HOST}:{ports.kafka},CONTROLLER://{HOST}:{ports.kafka_controller}",
        "controller.quorum.bootstrap.servers": f"{HOST}:{ports.kafka_controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENTS",
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.clients.plain.sasl.jaas.config": _users(secrets, *clients),
        "listener.name.controller.plain.sasl.jaas.config": _users(secrets, KAFKA_BROKER),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{KAFKA_BROKER};User:{KAFKA_ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
        "auto.create.topics.enable": "false",
        "log.dirs": str(data),
        # One node: nothing to replicate to, and nobody to wait for when a group forms.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }


def _users(secrets: Secrets, *names: str) -> str:
    users = " ".join(f'user_{name}="{secrets[f"kafka/{name}"]}"' for name in names)
    return f'{_LOGIN} username="{KAFKA_BROKER}" password="{secrets[f"kafka/{KAFKA_BROKER}"]}" {users};'


def _cluster_id() -> str:
    # A leading dash would read as an option.
    return "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
