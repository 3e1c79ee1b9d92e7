"""Where the servers are and which administrator's credentials to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.provision.errors import ProvisioningError
from deploy.topology import ACCOUNTS, KAFKA_ADMIN, MONGO_USERS


@dataclass(frozen=True, slots=True)
class KafkaServer:
    """A Kafka cluster and its super user. The other users' passwords are the brokers' own configuration."""

    bootstrap: str
    password: str = field(repr=False)
    username: str = KAFKA_ADMIN
    replication_factor: int = 1


@dataclass(frozen=True, slots=True)
class MongoServer:
    """A replica set. ``admin_url`` holds the administrator's password; ``passwords`` is by user."""

    admin_url: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MinioServer:
    """An object store. ``secret_keys`` is by account."""

    endpoint: str
    root_user: str
    root_password: str = field(repr=False)
    secret_keys: Mapping[str, str] = field(repr=False)
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Servers:
    """Everything provisioning talks to."""

    kafka: KafkaServer
    mongo: MongoServer
    minio: MinioServer

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Servers:
        """Read KAFKA_BOOTSTRAP_SERVERS, KAFKA_ADMIN_PASSWORD, KAFKA_REPLICATION_FACTOR (1), MONGO_ADMIN_URL,
        MONGO_PASSWORD_<USER>, MINIO_ENDPOINT, MINIO_SECURE (false), MINIO_ROOT_USER, MINIO_ROOT_PASSWORD and
        MINIO_SECRET_KEY_<ACCOUNT> (upper case, ``-`` written ``_``).

        Raises ProvisioningError naming every missing setting.
        """
        passwords = {user: f"MONGO_PASSWORD_{_upper(user)}" for user in MONGO_USERS}
        secret_keys = {account.name: f"MINIO_SECRET_KEY_{_upper(account.name)}" for account in ACCOUNTS}
        required = (*_PLAIN, *passwords.values(), *secret_keys.values())
        if missing := [name for name in required if not environment.get(name)]:
            raise ProvisioningError(f"missing settings: {', '.join(missing)}")
        return cls(
            KafkaServer(
                environment["KAFKA_BOOTSTRAP_SERVERS"],
                environment["KAFKA_ADMIN_PASSWORD"],
                replication_factor=int(environment.get("KAFKA_REPLICATION_FACTOR", "1")),
            ),
            MongoServer(environment["MONGO_ADMIN_URL"], {k: environment[v] for k, v in passwords.items()}),
            MinioServer(
                environment["MINIO_ENDPOINT"],
                environment["MINIO_ROOT_USER"],
                environment["MINIO_ROOT_PASSWORD"],
                {account: environment[name] for account, name in secret_keys.items()},
                secure=environment.get("MINIO_SECURE", "false").lower() == "true",
            ),
        )


_PLAIN = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_ADMIN_PASSWORD",
    "MONGO_ADMIN_URL",
    "MINIO_ENDPOINT",
    "MINIO_ROOT_USER",
    "MINIO_ROOT_PASSWORD",
)


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
