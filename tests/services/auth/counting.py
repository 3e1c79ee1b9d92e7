"""What the tests of failed sign-ins do again and again: fail, let time pass, follow what reaches the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pymongo import MongoClient

from tests.services.auth.driver import Answer, AuthApi
from tests.stack import RealServers

WRONG = "une autre phrase"
HASHES = 'espace_password_hashes_total{purpose="request"}'
DATABASE = "auth"
READ_OR_COUNTED = ("identifiers", "accounts", "sign_in_attempts", "security_events")


async def fail(api: AuthApi, identifier: str, network: str, times: int = 1, **more: object) -> list[Answer]:
    """That many wrong passwords, one after the other."""
    return [await api.sign_in(identifier, WRONG, client=network, **more) for _ in range(times)]


async def let_pass(infra: RealServers, time: timedelta) -> None:
    """Make everything counted that much older: the clock of a test cannot be turned."""

    def change() -> None:
        aged = {"$mergeObjects": ["$$try", {"at": {"$subtract": ["$$try.at", int(time.total_seconds() * 1000)]}}]}
        older = {"tries": {"$map": {"input": "$tries", "as": "try", "in": aged}}}
        with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
            client[DATABASE]["sign_in_attempts"].update_many({}, [{"$set": older}])

    await asyncio.to_thread(change)


def said(answer: Answer) -> tuple[object, ...]:
    """All of an answer but its own ids, and of the seconds left only that they are told."""
    body = {name: value for name, value in answer.body.items() if name != "request_id"}
    kept = {n: v for n, v in answer.headers.items() if n not in {"x-request-id", "date", "retry-after"}}
    return answer.status, body, kept, "retry-after" in answer.headers


@asynccontextmanager
async def commands(infra: RealServers) -> AsyncIterator[Counter[str]]:
    """What requests ask of the database while this is open, by collection and operation, complete when it is closed.

    Workers lease their jobs and read inside transactions, requests that fail read outside: so they are told apart.
    """
    counted: Counter[str] = Counter()
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        database = client[DATABASE]
        await asyncio.to_thread(database.command, "profile", 2)
        try:
            yield counted
        finally:
            await asyncio.to_thread(database.command, "profile", 0)
            profile = database["system.profile"]
            for entry in await asyncio.to_thread(lambda: list(profile.find())):
                collection = entry["ns"].partition(".")[2]
                # An update of a transaction is profiled without the command's own fields.
                in_transaction = entry.get("readConcern", {}).get("level") == "snapshot"
                if collection in READ_OR_COUNTED and not in_transaction:
                    counted[f"{collection} {_operation(entry)}"] += 1
                elif collection == "jobs" and entry["op"] == "update":
                    counted["jobs update"] += 1
            await asyncio.to_thread(profile.drop)


def _operation(entry: dict[str, Any]) -> str:
    named = ("find", "findAndModify", "aggregate", "update", "delete", "insert")
    operation = next((name for name in named if name in entry["command"]), str(entry["op"]))
    unchanged = operation == "findAndModify" and not entry.get("nModified") and not entry.get("nUpserted")
    return f"{operation} without a change" if unchanged else operation
