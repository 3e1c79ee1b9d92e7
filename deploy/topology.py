"""The one list of what the servers hold: topics, Kafka rights, databases, buckets and accounts.

The native stack and compose both apply this list through ``deploy.provision``. Pure data: no secrets, no addresses.
Units are in the field names; retention follows ``docs`` of the events: an inbox must live longer than a topic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

MIB: Final = 1024 * 1024
DAY_S: Final = 24 * 3600

REGION: Final = "eu-west-3"
"""Region of the object store; S3 signatures carry it, so clients and server must agree."""

REPLICA_SET: Final = "rs0"
"""Name of the MongoDB replica set: there is one even on a single node, for transactions and change streams."""

SERVICES: Final = ("auth", "claims", "documents", "notifications")
"""The services that hold state: each has its own database, Kafka principal and consumer group of this name."""

GATEWAY: Final = "gateway"

OPERATORS: Final = "portal"
"""The operators' command line and the simulator, at every server they reach."""

KAFKA_ADMIN: Final = "admin"
"""Super user that provisions; no service uses it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. ``max_partition_mib`` bounds the disk whatever the retention says."""

    name: str
    partitions: int
    retention_days: int
    max_partition_mib: int
    max_message_kib: int = 1024

    @property
    def config(self) -> dict[str, str]:
        """The topic's settings as Kafka spells them."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_days * DAY_S * 1000),
            "retention.bytes": str(self.max_partition_mib * MIB),
            # Kafka only deletes closed segments: a cap holds to within one of them.
            "segment.bytes": str(max(16, self.max_partition_mib // 8) * MIB),
            "max.message.bytes": str(self.max_message_kib * 1024),
        }


def dead(topic: str) -> str:
    """Name of the topic that announces what the consumers of ``topic`` refused."""
    return f"{topic}.dead"


def _with_dead(name: str, max_partition_mib: int) -> tuple[Topic, Topic]:
    # A dead letter's announcement has no value and must outlive the week in which somebody looks at it.
    return Topic(name, 6, 7, max_partition_mib), Topic(dead(name), 1, 30, 128)


TOPICS: Final[tuple[Topic, ...]] = (
    *_with_dead("membership.v1", 512),
    *_with_dead("claims.v1", 2048),
    *_with_dead("casework.v1", 512),
    *_with_dead("auth.v1", 512),
    *_with_dead("reimbursements.v1", 512),
    *_with_dead("documents.v1", 512),
    *_with_dead("notifications.v1", 512),
)


Operation = Literal["READ", "WRITE"]


@dataclass(frozen=True, slots=True)
class Acl:
    """One right of a principal. Kafka lets READ and WRITE imply DESCRIBE, and WRITE an idempotent producer."""

    operation: Operation
    resource: Literal["TOPIC", "GROUP"]
    name: str
    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """A Kafka user. ``reads`` and ``writes`` are topics; ``group_prefix`` allows every group starting with it."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    group: str
    group_prefix: bool = False

    @property
    def acls(self) -> tuple[Acl, ...]:
        """Everything this principal may do; nothing else is allowed."""
        return (
            *(Acl("READ", "TOPIC", topic) for topic in self.reads),
            *(Acl("WRITE", "TOPIC", topic) for topic in self.writes),
            Acl("READ", "GROUP", self.group, self.group_prefix),
        )


def _service(name: str, *, publishes: str, consumes: Sequence[str]) -> Principal:
    return Principal(name, tuple(consumes), (publishes, *map(dead, consumes)), group=name)


PRINCIPALS: Final[tuple[Principal, ...]] = (
    _service("auth", publishes="auth.v1", consumes=("membership.v1",)),
    _service("claims", publishes="reimbursements.v1", consumes=("membership.v1", "claims.v1", "auth.v1")),
    _service("documents", publishes="documents.v1", consumes=("membership.v1", "casework.v1", "auth.v1")),
    _service(
        "notifications",
        publishes="notifications.v1",
        consumes=("membership.v1", "casework.v1", "auth.v1", "reimbursements.v1", "documents.v1"),
    ),
    # The operators' command line and the simulator stand for the internal systems.
    Principal(
        OPERATORS,
        reads=tuple(topic.name for topic in TOPICS),
        writes=("membership.v1", "claims.v1", "casework.v1"),
        group=OPERATORS,
        group_prefix=True,
    ),
)


DATABASES: Final[tuple[str, ...]] = SERVICES
"""One database per service; the user of the same name may read and write there and nowhere else."""


@dataclass(frozen=True, slots=True)
class Privilege:
    """What a role may do in one collection."""

    database: str
    collection: str
    actions: tuple[Literal["find", "insert", "update"], ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A MongoDB user that no database is made for, with a role of the same name: these privileges, nothing else."""

    name: str
    privileges: tuple[Privilege, ...]


ROLES: Final[tuple[Role, ...]] = (
    # The operators see which records were refused and ask for their replay; what is in them stays the services'.
    # What is to be done with an account they write down for auth, which does it, and a rebuild for claims. Of keys they
    # see the names.
    Role(
        OPERATORS,
        (
            *(Privilege(database, "dead_letters", ("find", "update")) for database in DATABASES),
            *(Privilege(database, "at_rest_keys", ("find",)) for database in DATABASES),
            Privilege("auth", "operator_orders", ("find", "insert")),
            Privilege("claims", "rebuilds", ("find", "insert", "update")),
        ),
    ),
)

MONGO_USERS: Final[tuple[str, ...]] = (*DATABASES, *(role.name for role in ROLES))
"""Everybody who signs in to MongoDB, the administrator apart."""


BUCKETS: Final[tuple[str, ...]] = ("documents-intake", "documents-accepted", "deliveries", "letters")
"""None keeps versions: what a member erases, and above all a letter with a password, must be gone."""


Access = Literal["get", "put", "delete", "list", "uploads"]
"""`uploads`: find the multipart uploads that a killed process left behind."""

_S3_OBJECT: Final[Mapping[Access, tuple[str, ...]]] = MappingProxyType(
    {"get": ("s3:GetObject",), "put": ("s3:PutObject", "s3:AbortMultipartUpload"), "delete": ("s3:DeleteObject",)}
)
_S3_BUCKET: Final[Mapping[Access, str]] = MappingProxyType(
    {"list": "s3:ListBucket", "uploads": "s3:ListBucketMultipartUploads"}
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account may do in one bucket."""

    bucket: str
    access: tuple[Access, ...]

    @property
    def statements(self) -> list[dict[str, object]]:
        """The grant in S3 policy language."""
        objects = sorted(action for access in self.access for action in _S3_OBJECT.get(access, ()))
        bucket = ["s3:GetBucketLocation", *(_S3_BUCKET[access] for access in self.access if access in _S3_BUCKET)]
        return [
            {"Effect": "Allow", "Action": bucket, "Resource": [f"arn:aws:s3:::{self.bucket}"]},
            {"Effect": "Allow", "Action": objects, "Resource": [f"arn:aws:s3:::{self.bucket}/*"]},
        ]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the object store, with the policy of the same name."""

    name: str
    grants: tuple[Grant, ...]

    @property
    def policy(self) -> dict[str, object]:
        """The S3 policy document of all the account's grants."""
        statements = [statement for grant in self.grants for statement in grant.statements]
        return {"Version": "2012-10-17", "Statement": statements}


_ALL: Final[tuple[Access, ...]] = ("get", "put", "delete", "list")

PRINTING_HOUSE: Final = "printing-house"

ACCOUNTS: Final[tuple[Account, ...]] = (
    Account(
        "documents",
        (
            Grant("documents-intake", (*_ALL, "uploads")),
            Grant("documents-accepted", _ALL),
            Grant("deliveries", ("get", "delete", "list")),
        ),
    ),
    Account("notifications", (Grant("letters", _ALL),)),
    Account(PRINTING_HOUSE, (Grant("letters", ("get", "list")),)),
    Account("casework", (Grant("documents-accepted", ("get",)), Grant("deliveries", ("put",)))),
)
