"""Provisioning on real servers: applied twice it changes nothing, and what is not listed is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)
from minio import Minio
from minio.commonconfig import ENABLED
from minio.credentials import StaticProvider
from minio.error import S3Error
from minio.minioadmin import MinioAdmin
from minio.versioningconfig import VersioningConfig
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy import provision
from deploy.topology import ACCOUNTS, BUCKETS, DATABASES, OPERATORS, PRINCIPALS, PRINTING_HOUSE, REGION, TOPICS
from tests.stack import RealServers

pytestmark = pytest.mark.servers

ANYTHING: Any = None


def _kafka(infra: RealServers, user: str, password: str) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": infra.kafka_bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": password,
    }


def _admin(infra: RealServers) -> AdminClient:
    return AdminClient(_kafka(infra, *infra.admin_kafka))


def _rights(admin: AdminClient) -> set[str]:
    every = AclBindingFilter(
        ResourceType.ANY,
        ANYTHING,
        ResourcePatternType.ANY,
        ANYTHING,
        ANYTHING,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return {str(binding) for binding in admin.describe_acls(every).result(10)}


def _state(infra: RealServers) -> dict[str, Any]:
    """Everything provisioning decides, as the servers tell it."""
    admin = _admin(infra)
    described = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic.name) for topic in TOPICS])
    minio = infra.servers.minio
    accounts = MinioAdmin(
        endpoint=minio.endpoint,
        credentials=StaticProvider(minio.root_user, minio.root_password),
        region=REGION,
        secure=False,
    )
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as mongo:
        users = mongo.admin.command("usersInfo", 1)["users"]
        roles = mongo.admin.command("rolesInfo", 1, showPrivileges=True)["roles"]
    return {
        "partitions": {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=10).topics.items()},
        "settings": {
            resource.name: {key: entry.value for key, entry in future.result(10).items()}
            for resource, future in described.items()
        },
        "rights": _rights(admin),
        "users": {user["user"]: user["roles"] for user in users},
        "roles": {role["role"]: (role["roles"], role["privileges"]) for role in roles},
        "accounts": {account.name: json.loads(accounts.user_info(account.name))["policyName"] for account in ACCOUNTS},
        "policies": {account.name: _policy(accounts.policy_info(account.name)) for account in ACCOUNTS},
    }


def _policy(answer: str) -> set[str]:
    # MinIO gives the actions of a statement in any order.
    return {f"{sorted(statement['Action'])} {statement['Resource']}" for statement in json.loads(answer)["Statement"]}


def test_provisioning_again_changes_nothing(infra: RealServers) -> None:
    before = _state(infra)
    provision.apply(infra.servers)
    assert _state(infra) == before
    assert {topic.name: topic.partitions for topic in TOPICS}.items() <= before["partitions"].items()
    assert all(topic.config.items() <= before["settings"][topic.name].items() for topic in TOPICS)
    assert len(before["rights"]) == sum(len(principal.acls) for principal in PRINCIPALS)
    assert all(before["users"][name] == [{"role": "readWrite", "db": name}] for name in DATABASES)
    assert before["users"][OPERATORS] == [{"role": OPERATORS, "db": "admin"}]
    assert before["roles"].keys() == {OPERATORS}


def test_a_right_that_is_not_listed_is_taken_back(infra: RealServers) -> None:
    admin = _admin(infra)
    before = _rights(admin)
    surplus = AclBinding(
        ResourceType.TOPIC,
        "auth.v1",
        ResourcePatternType.LITERAL,
        "User:claims",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    admin.create_acls([surplus])[surplus].result(10)
    assert len(_rights(admin)) == len(before) + 1
    provision.apply(infra.servers)
    assert _rights(admin) == before


def test_a_privilege_that_is_not_listed_is_taken_back(infra: RealServers) -> None:
    before = _state(infra)
    surplus = {"resource": {"db": "auth", "collection": "accounts"}, "actions": ["find"]}
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as mongo:
        mongo.admin.command("grantPrivilegesToRole", OPERATORS, privileges=[surplus])
        mongo.admin.command("grantRolesToUser", OPERATORS, roles=[{"role": "readWrite", "db": "claims"}])
    assert _state(infra) != before
    provision.apply(infra.servers)
    assert _state(infra) == before


def test_a_principal_publishes_to_its_own_topic_only(infra: RealServers) -> None:
    claims = infra.environment("claims")
    producer = Producer(
        _kafka(infra, claims["KAFKA_USERNAME"], claims["KAFKA_PASSWORD"]) | {"enable.idempotence": "true"}
    )
    outcomes: dict[str, str] = {}
    for topic in ("claims.v1.dead", "auth.v1"):
        producer.produce(
            topic,
            b"",
            key=b"00000000",
            on_delivery=lambda error, message: outcomes.update(
                {str(message.topic()): error.name() if error else "written"}
            ),
        )
    producer.flush(20)
    assert outcomes == {"claims.v1.dead": "written", "auth.v1": "TOPIC_AUTHORIZATION_FAILED"}


def test_a_wrong_password_is_refused_by_kafka(infra: RealServers) -> None:
    client = AdminClient(_kafka(infra, "claims", "not-its-password") | {"log_level": "0"})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=3)


def test_a_service_reads_no_other_services_database(infra: RealServers) -> None:
    with MongoClient[dict[str, Any]](infra.environment("claims")["MONGO_URL"]) as client:
        client["claims"]["rights"].insert_one({"_id": "own"})
        client["claims"].drop_collection("rights")
        with pytest.raises(OperationFailure, match="not authorized"):
            client["auth"]["accounts"].find_one()


@pytest.mark.parametrize("database", DATABASES)
def test_the_operators_find_and_update_dead_letters_and_nothing_else(infra: RealServers, database: str) -> None:
    with MongoClient[dict[str, Any]](infra.operators()["MONGO_URL"]) as client:
        letters = client[database]["dead_letters"]
        letters.find_one()
        letters.update_many({"_id": "none"}, {"$set": {"reason": ""}})
        for refused in (
            lambda: letters.insert_one({"_id": "none"}),
            lambda: letters.delete_one({"_id": "none"}),
            client["claims"]["claims"].find_one,
            client["auth"]["accounts"].find_one,
            lambda: client[database]["inbox"].update_one({"_id": "none"}, {"$set": {"at": 0}}),
            client[database].list_collection_names,
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                refused()


def test_nobody_reads_without_a_user(infra: RealServers) -> None:
    host = infra.mongo_admin_url.partition("@")[2].partition("/")[0]
    with (
        MongoClient[dict[str, Any]](host, directConnection=True) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client["claims"]["claims"].find_one()


def _store(infra: RealServers, account: str) -> Minio:
    secret = infra.servers.minio.secret_keys[account]
    return Minio(infra.minio_endpoint, account, secret, secure=False, region=REGION)


@pytest.mark.parametrize(
    ("account", "bucket", "may_put", "may_get"),
    [
        ("notifications", "letters", True, True),
        (PRINTING_HOUSE, "letters", False, True),
        (PRINTING_HOUSE, "documents-accepted", False, False),
        ("documents", "documents-accepted", True, True),
        ("documents", "letters", False, False),
        ("casework", "documents-accepted", False, True),
        ("casework", "deliveries", True, False),
        ("casework", "letters", False, False),
    ],
)
def test_an_account_reaches_only_its_buckets(
    infra: RealServers, tmp_path: Path, account: str, bucket: str, *, may_put: bool, may_get: bool
) -> None:
    file = tmp_path / "object"
    file.write_bytes(b"content")
    root = infra.servers.minio
    Minio(root.endpoint, root.root_user, root.root_password, secure=False, region=REGION).fput_object(
        bucket, "rights/known", str(file)
    )
    store = _store(infra, account)
    assert _allowed(lambda: store.fput_object(bucket, f"rights/{account}", str(file))) is may_put
    assert _allowed(lambda: store.stat_object(bucket, "rights/known")) is may_get


def _allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except S3Error as error:
        if error.code == "AccessDenied":
            return False
        raise
    return True


def test_buckets_keep_no_versions(infra: RealServers) -> None:
    root = infra.servers.minio
    store = Minio(root.endpoint, root.root_user, root.root_password, secure=False, region=REGION)
    store.set_bucket_versioning("letters", VersioningConfig(ENABLED))
    provision.apply(infra.servers)
    assert all(store.get_bucket_versioning(bucket).status != ENABLED for bucket in BUCKETS)


def test_an_administrator_with_the_wrong_password_is_told_which_server_refused(infra: RealServers) -> None:
    servers = infra.servers
    wrong = replace(servers, minio=replace(servers.minio, root_password="not-the-password"))
    with pytest.raises(provision.ProvisioningError, match="MinIO"):
        provision.apply(wrong)
