"""MongoDB: a replica set of one, with access control from its first second on."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import StackError
from deploy.local.ports import HOST, Ports
from deploy.local.secrets import Secrets, write_private
from deploy.local.servers.program import Program
from deploy.local.tools import Tools
from deploy.topology import REPLICA_SET

ROOT: Final = "root"
CACHE_GB: Final = 0.5
"""MongoDB's cache where nothing else is asked for: enough to try the portal out."""
_PRIMARY_WITHIN_S: Final = 60.0
_ALREADY_INITIALIZED: Final = 23
_AUTHENTICATION_FAILED: Final = 18


def url(ports: Ports, user: str, password: str, database: str = "") -> str:
    """The connection string of a user kept in ``admin``."""
    return f"mongodb://{quote(user)}:{quote(password)}@{HOST}:{ports.mongo}/{database}?replicaSet={REPLICA_SET}&authSource=admin"


def options(cache_gb: float = CACHE_GB) -> list[str]:
    """What docker-compose.yml gives it too, from the environment's MONGO_CACHE_GB."""
    return [
        *("--oplogSize", "512", "--wiredTigerCacheSizeGB", str(cache_gb)),
        # Else a service killed inside a transaction blocks its rows for a minute.
        *("--setParameter", "transactionLifetimeLimitSeconds=10"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]


def program(folder: Path, ports: Ports, tools: Tools, secrets: Secrets, *, cache_gb: float = CACHE_GB) -> Program:
    """The server. ``folder`` is its own."""
    data, key_file = folder / "data", folder / "keyfile"
    data.mkdir(parents=True, exist_ok=True)
    write_private(key_file, secrets["mongo/keyfile"].replace("-", "+").replace("_", "/"))  # mongod's alphabet
    command = [
        *(str(tools.mongod), "--bind_ip", HOST, "--port", str(ports.mongo), "--nounixsocket"),
        *("--dbpath", str(data), "--replSet", REPLICA_SET, "--auth", "--keyFile", str(key_file)),
        *options(cache_gb),
    ]
    return Program("mongo", command, lambda: _writable(ports) is not None, folder=folder)


def initialise(ports: Ports, secrets: Secrets) -> None:
    """Make it a replica set, wait for its primary, and make the first user. Does nothing the second time.

    Raises StackError when the kept data belongs to other secrets.
    """
    with _direct(ports) as client:
        with contextlib.suppress(OperationFailure):  # refused without a user once there is one: then it is initialised
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [_member(ports)]})
        deadline = time.monotonic() + _PRIMARY_WITHIN_S
        while not _writable(ports):
            if time.monotonic() > deadline:
                raise StackError("MongoDB did not become a primary in time: is the machine very busy? Run again.")
            time.sleep(0.05)
        if not _root_signs_in(ports, secrets):
            _create_root(client, secrets)


def _member(ports: Ports) -> dict[str, Any]:
    return {"_id": 0, "host": f"{HOST}:{ports.mongo}"}


def _direct(ports: Ports, **options: Any) -> MongoClient[dict[str, Any]]:
    return MongoClient(HOST, ports.mongo, directConnection=True, serverSelectionTimeoutMS=2000, **options)


def _writable(ports: Ports) -> bool | None:
    """None: does not answer yet; else whether it is a primary."""
    try:
        with _direct(ports) as client:
            return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return None


def _root_signs_in(ports: Ports, secrets: Secrets) -> bool:
    try:
        with _direct(ports, username=ROOT, password=secrets["mongo/root"]) as client:
            client.admin.command("connectionStatus")
    except OperationFailure as error:
        if error.code == _AUTHENTICATION_FAILED:
            return False
        raise
    return True


def _create_root(client: MongoClient[dict[str, Any]], secrets: Secrets) -> None:
    # MongoDB's localhost exception: until there is a user, a local client may make the first one, and only that.
    roles = [{"role": "root", "db": "admin"}]
    try:
        client.admin.command({"createUser": ROOT, "pwd": secrets["mongo/root"], "roles": roles})
    except OperationFailure as error:
        raise StackError(
            "MongoDB's data belongs to other passwords than the kept ones; `make clean-data` starts afresh"
        ) from error
