"""Topics, their settings and the principals' rights, through Kafka's admin protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from deploy.provision.errors import ProvisioningError
from deploy.provision.settings import KafkaServer
from deploy.topology import PRINCIPALS, TOPICS, Acl, Principal, Topic

TIMEOUT_S: Final = 30.0


def apply(server: KafkaServer) -> None:
    """Create what is missing, grow partitions, set the listed settings, and make the rights exactly the listed ones."""
    admin = AdminClient(
        {
            "bootstrap.servers": server.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": server.username,
            "sasl.password": server.password,
            "log_level": 0,
        }
    )
    try:
        _settings(admin, _topics(admin, server.replication_factor))
        _rights(admin)
    except KafkaException as error:
        raise ProvisioningError(f"Kafka at {server.bootstrap}: {error.args[0].str()}") from error
    except TimeoutError as error:
        raise ProvisioningError(f"Kafka at {server.bootstrap} gave no answer within {TIMEOUT_S:.0f} s") from error


def _wait(futures: Iterable[Future[Any]]) -> list[Any]:
    return [future.result(TIMEOUT_S) for future in futures]


def _topics(admin: AdminClient, replication_factor: int) -> Sequence[Topic]:
    """Create and grow; answers the topics that were there before, whose settings may differ from the list."""
    present = admin.list_topics(timeout=TIMEOUT_S).topics
    missing = [topic for topic in TOPICS if topic.name not in present]
    if missing:
        _wait(admin.create_topics([_new_topic(topic, replication_factor) for topic in missing]).values())
    # A grown topic sends a member's next events to another partition; the contracts allow any arrival order.
    grown = [t for t in TOPICS if t.name in present and len(present[t.name].partitions) < t.partitions]
    if grown:
        _wait(admin.create_partitions([NewPartitions(t.name, t.partitions) for t in grown]).values())
    return [topic for topic in TOPICS if topic.name in present]


def _new_topic(topic: Topic, replication_factor: int) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, replication_factor, config=topic.config)


def _settings(admin: AdminClient, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    wanted = {topic.name: topic.config for topic in topics}
    described = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in wanted])
    changed = []
    for resource, future in described.items():
        present: Mapping[str, ConfigEntry] = future.result(TIMEOUT_S)
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in wanted[resource.name].items()
            if present[key].value != value
        ]
        if entries:
            changed.append(ConfigResource(ResourceType.TOPIC, resource.name, incremental_configs=entries))
    if changed:
        _wait(admin.incremental_alter_configs(changed).values())


def _rights(admin: AdminClient) -> None:
    """Rights that left the list leave the cluster too, else least privilege would only hold on new installations."""
    wanted = {_binding(principal, acl) for principal in PRINCIPALS for acl in principal.acls}
    present = {binding for principal in PRINCIPALS for binding in _present(admin, principal)}
    if missing := wanted - present:
        _wait(admin.create_acls(list(missing)).values())
    if surplus := present - wanted:
        _wait(admin.delete_acls([_exactly(binding) for binding in surplus]).values())


def _present(admin: AdminClient, principal: Principal) -> set[AclBinding]:
    anything: Any = None  # the client's annotations forget that None stands for any name and any host
    everything = AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        f"User:{principal.name}",
        anything,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return set(admin.describe_acls(everything).result(TIMEOUT_S))


def _binding(principal: Principal, acl: Acl) -> AclBinding:
    return AclBinding(
        ResourceType[acl.resource],
        acl.name,
        ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL,
        f"User:{principal.name}",
        "*",
        AclOperation[acl.operation],
        AclPermissionType.ALLOW,
    )


def _exactly(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )
