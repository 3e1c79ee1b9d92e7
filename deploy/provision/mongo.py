"""One MongoDB user per database, with no right outside it, and the users with a role of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from deploy.provision.errors import ProvisioningError
from deploy.provision.settings import MongoServer
from deploy.topology import DATABASES, ROLES, Role

TIMEOUT_MS: Final = 15_000


def apply(server: MongoServer) -> None:
    """Create the roles and users, or set their passwords and rights again."""
    client: MongoClient[dict[str, Any]] = MongoClient(server.admin_url, serverSelectionTimeoutMS=TIMEOUT_MS)
    try:
        for database in DATABASES:
            _user(client.admin, database, server.passwords, {"role": "readWrite", "db": database})
        for role in ROLES:
            _role(client.admin, role)
            _user(client.admin, role.name, server.passwords, {"role": role.name, "db": "admin"})
    except PyMongoError as error:
        raise ProvisioningError(f"MongoDB: {_reason(error)}") from error
    finally:
        client.close()


def _role(admin: Database[dict[str, Any]], role: Role) -> None:
    known = admin.command("rolesInfo", {"role": role.name, "db": "admin"})["roles"]
    command = "updateRole" if known else "createRole"
    privileges = [
        {"resource": {"db": one.database, "collection": one.collection}, "actions": list(one.actions)}
        for one in role.privileges
    ]
    admin.command({command: role.name, "privileges": privileges, "roles": []})


def _user(admin: Database[dict[str, Any]], name: str, passwords: Mapping[str, str], granted: Mapping[str, str]) -> None:
    known = admin.command("usersInfo", {"user": name, "db": "admin"})["users"]
    command = "updateUser" if known else "createUser"
    admin.command({command: name, "pwd": passwords[name], "roles": [granted]})


def _reason(error: PyMongoError) -> str:
    # The server's full answer can repeat the command; its code name cannot.
    if isinstance(error, OperationFailure) and error.details:
        return str(error.details.get("codeName", error.code))
    return type(error).__name__
