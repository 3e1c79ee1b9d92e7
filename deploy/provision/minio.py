"""Buckets without versions, and accounts that each see only their buckets."""

from __future__ import annotations

import json
from typing import Any, Final

import urllib3
from minio import Minio
from minio.commonconfig import ENABLED
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, MinioException
from minio.minioadmin import MinioAdmin
from minio.versioningconfig import SUSPENDED, VersioningConfig

from deploy.provision.errors import ProvisioningError
from deploy.provision.settings import MinioServer
from deploy.topology import ACCOUNTS, BUCKETS, REGION, Account

TIMEOUT_S: Final = 15.0


def apply(server: MinioServer) -> None:
    """Make the buckets, then each account with its secret and exactly its policy."""
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(TIMEOUT_S), retries=False)
    store = Minio(
        server.endpoint,
        server.root_user,
        server.root_password,
        secure=server.secure,
        region=REGION,
        http_client=pool,
    )
    admin = MinioAdmin(
        endpoint=server.endpoint,
        credentials=StaticProvider(server.root_user, server.root_password),
        region=REGION,
        secure=server.secure,
        http_client=pool,
    )
    try:
        for bucket in BUCKETS:
            _bucket(store, bucket)
        for account in ACCOUNTS:
            _account(admin, account, server.secret_keys[account.name])
    except (MinioException, MinioAdminException, urllib3.exceptions.HTTPError) as error:
        raise ProvisioningError(f"MinIO at {server.endpoint}: {type(error).__name__} {_code(error)}".strip()) from error
    finally:
        pool.clear()


def _bucket(store: Minio, name: str) -> None:
    if not store.bucket_exists(name):
        store.make_bucket(name, REGION)
    if store.get_bucket_versioning(name).status == ENABLED:
        store.set_bucket_versioning(name, VersioningConfig(SUSPENDED))


def _account(admin: MinioAdmin, account: Account, secret_key: str) -> None:
    admin.policy_add(account.name, policy=account.policy)
    admin.user_add(account.name, secret_key)
    present = set(filter(None, _user(admin, account.name).get("policyName", "").split(",")))
    if account.name not in present:
        admin.attach_policy([account.name], user=account.name)
    if surplus := sorted(present - {account.name}):
        admin.detach_policy(surplus, user=account.name)


def _user(admin: MinioAdmin, name: str) -> dict[str, Any]:
    user: dict[str, Any] = json.loads(admin.user_info(name))
    return user


def _code(error: Exception) -> str:
    return str(getattr(error, "code", "") or getattr(error, "_code", ""))
