"""Sealing again on a real database: everything, nothing else, and never over what somebody writes meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from prometheus_client import REGISTRY

from shared import at_rest_keys
from shared.at_rest_keys import AtRestKeys, MissingKeys
from shared.mongo import Mongo
from shared.resealing import Resealing
from shared.sealing import SEALED, Keyring, beginning_at_rest, kid_at_rest
from tests.shared.workbench import until
from tests.stack import RealServers

pytestmark = pytest.mark.servers

ONE, TWO = f"echo/1:{'A' * 43}", f"echo/2:{'B' * 42}A"
OLD, BOTH, NEW = (Keyring.from_setting(text) for text in (ONE, f"{TWO},{ONE}", TWO))
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def mongo(infra: RealServers) -> AsyncIterator[Mongo]:
    """A database of the test's own."""
    name = f"test-{uuid4().hex[:8]}"
    part = Mongo(infra.mongo_admin_url, name, collections={**at_rest_keys.collections(), "rows": [], "others": []})
    await part.start()
    yield part
    await part.db.client.drop_database(name)
    await part.stop()


@pytest.fixture
async def process(mongo: Mongo) -> AsyncIterator[Callable[[Keyring], Any]]:
    """Starts what a process has of this, with such a ring; ends all of it with the test."""
    parts: list[AtRestKeys | Resealing] = []

    async def start(ring: Keyring) -> tuple[AtRestKeys, Resealing]:
        keys = AtRestKeys(mongo, ring)
        resealing = Resealing(mongo, ring, keys)
        for part in (keys, resealing):
            parts.append(part)
            await part.start()
        return keys, resealing

    yield start
    for part in reversed(parts):
        await part.stop()


def old(text: str, context: str) -> str:
    return OLD.seal_at_rest(text, context=context)


async def only(mongo: Mongo, *kids: str) -> tuple[str, ...]:
    """Wait until these are in use and no others."""

    async def found() -> bool:
        return await at_rest_keys.in_use(mongo) == kids

    await until(found, f"only {kids} in use")
    return kids


def left(kid: str) -> float | None:
    return REGISTRY.get_sample_value("espace_at_rest_older_values", {"key": kid})


def test_how_a_sealed_text_begins_tells_its_key() -> None:
    at_rest, in_event = OLD.seal_at_rest("x", context="here"), OLD.seal("x", event_id="e", field="f")
    assert at_rest.startswith(beginning_at_rest("echo/1"))
    assert not at_rest.startswith(beginning_at_rest("echo/10"))
    assert at_rest.startswith(SEALED)
    assert in_event.startswith(SEALED)
    assert (kid_at_rest(at_rest), kid_at_rest(in_event), kid_at_rest(f"{SEALED}x"), kid_at_rest("x")) == (
        "echo/1",
        None,
        None,
        None,
    )


async def test_what_is_sealed_anywhere_in_a_row_is_sealed_again_and_nothing_else_changes(
    mongo: Mongo, process: Callable[[Keyring], Any]
) -> None:
    in_event = OLD.seal("token", event_id="e", field="f")
    rows = [
        {
            "_id": number,
            "a": {"b": {"value": old("deep", f"b/{number}"), "order": "1"}},
            "list": [{"name": "Hugo"}, {"nir": old("listed", f"l/{number}")}, old("bare", "x")],
            "updated_at": THEN,
            "in_event": in_event,
            "new": NEW.seal_at_rest("new", context="n"),
            "plain": "x" * 5000,  # a row of more than 4 kB is read in another way
        }
        for number in range(450)
    ]
    await mongo.db["rows"].insert_many(rows)
    await mongo.db["others"].insert_many([{"_id": str(n), "sealed": old("other", f"o/{n}")} for n in range(3)])
    await process(BOTH)
    await only(mongo, "echo/2")
    assert left("echo/1") in {0.0, None}
    async for row in mongo.db["rows"].find():
        before = rows[row["_id"]]
        assert NEW.open_at_rest(row["a"]["b"]["value"], context=f"b/{row['_id']}") == b"deep"
        assert NEW.open_at_rest(row["list"][1]["nir"], context=f"l/{row['_id']}") == b"listed"
        assert NEW.open_at_rest(row["list"][2], context="x") == b"bare"
        assert {**row, "a": before["a"], "list": before["list"]} == before
    assert NEW.open_at_rest((await mongo.db["others"].find_one({"_id": "2"}))["sealed"], context="o/2") == b"other"  # type: ignore[index]


async def test_what_somebody_writes_meanwhile_stays(
    mongo: Mongo, infra: RealServers, process: Callable[[Keyring], Any]
) -> None:
    """Between the read and the write of one row its value is replaced, of another the row, and a third is deleted."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url)
    rows = client[mongo.db.name]["rows"]
    rows.insert_many([{"_id": n, "sealed": old("before", f"r/{n}"), "other": 1} for n in range(3)])

    class Slow(Keyring):
        """Others write while this one seals."""

        def sealed_again(self, token: str) -> str:
            rows.update_one({"_id": 0}, {"$set": {"sealed": NEW.seal_at_rest("after", context="r/0")}})
            rows.update_one({"_id": 1}, {"$set": {"other": 2}})
            rows.delete_one({"_id": 2})
            return super().sealed_again(token)

    await process(Slow.from_setting(f"{TWO},{ONE}"))
    await only(mongo, "echo/2")
    first, second = rows.find().sort("_id", 1)
    client.close()
    assert NEW.open_at_rest(first["sealed"], context="r/0") == b"after"
    assert (NEW.open_at_rest(second["sealed"], context="r/1"), second["other"]) == (b"before", 2)


async def test_nothing_is_sealed_again_while_a_process_still_seals_with_the_older_key(
    mongo: Mongo, process: Callable[[Keyring], Any]
) -> None:
    await mongo.db["rows"].insert_one({"_id": 1, "sealed": old("x", "r/1")})
    elder, _ = await process(OLD)
    _, resealing = await process(BOTH)

    async def waits() -> bool:
        return bool((await resealing.state()).startswith("waiting: another process"))

    await until(waits, "waiting for the other process")
    row = await mongo.db["rows"].find_one()
    assert row
    assert kid_at_rest(row["sealed"]) == "echo/1"
    assert await at_rest_keys.in_use(mongo) == ("echo/1", "echo/2")
    await elder.stop()
    await only(mongo, "echo/2")


async def test_a_process_that_starts_during_a_round_voids_it(mongo: Mongo) -> None:
    keys = AtRestKeys(mongo, BOTH)
    await keys.start()
    census = await keys.census()
    elder = AtRestKeys(mongo, Keyring.from_setting(f"{ONE},{TWO}"))
    await elder.start()
    await elder.stop()  # gone again, and what it sealed stays
    assert not await keys.keep_only(["echo/2"], census)
    assert await at_rest_keys.in_use(mongo) == ("echo/1", "echo/2")
    assert await keys.keep_only(["echo/2"], await keys.census())
    await keys.stop()


async def test_two_processes_share_the_work_in_turn(mongo: Mongo, process: Callable[[Keyring], Any]) -> None:
    await mongo.db["rows"].insert_many([{"_id": n, "sealed": old("x", f"r/{n}")} for n in range(500)])
    await asyncio.gather(process(BOTH), process(BOTH))
    await only(mongo, "echo/2")
    assert await mongo.db["rows"].count_documents({"sealed": {"$regex": f"^{beginning_at_rest('echo/2')}"}}) == 500


async def test_what_does_not_open_keeps_its_key_in_use_and_is_said(
    mongo: Mongo, process: Callable[[Keyring], Any]
) -> None:
    whole = old("x", "r/1")
    await mongo.db["rows"].insert_many([{"_id": 1, "sealed": whole[:-4] + "AAAA"}, {"_id": 2, "sealed": whole}])
    _, resealing = await process(BOTH)

    async def stuck() -> bool:
        return bool(await resealing.state() == "1 values cannot be sealed again")

    await until(stuck, "stuck")
    assert await at_rest_keys.in_use(mongo) == ("echo/1", "echo/2")
    assert left("echo/1") == 1


async def test_without_a_key_that_is_in_use_nothing_starts(mongo: Mongo, process: Callable[[Keyring], Any]) -> None:
    keys, _ = await process(OLD)
    await keys.stop()
    with pytest.raises(MissingKeys, match="echo/1"):
        await process(NEW)
    await process(BOTH)
    await only(mongo, "echo/2")
    await process(NEW)
