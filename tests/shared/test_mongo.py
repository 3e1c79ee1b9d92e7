"""Transactions on a real replica set: all or nothing, conflicts retried, an outage named."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from shared.errors import Unavailable
from shared.mongo import Mongo, Transaction
from tests.stack import RealServers

pytestmark = pytest.mark.servers


@pytest.fixture
async def mongo(infra: RealServers) -> AsyncIterator[Mongo]:
    """A database of the test's own."""
    part = Mongo(
        infra.mongo_admin_url,
        f"test-{uuid4().hex[:8]}",
        collections={"things": [IndexModel([("name", ASCENDING)], unique=True)]},
        wait_s=1.0,
    )
    await part.start()
    yield part
    await part.db.client.drop_database(part.db.name)
    await part.stop()


async def test_what_a_body_raises_leaves_nothing_behind(mongo: Mongo) -> None:
    async def body(tx: Transaction) -> None:
        await tx.db["things"].insert_one({"name": "a"}, session=tx.session)
        raise KeyError

    with pytest.raises(KeyError):
        await mongo.transaction(body)
    assert await mongo.db["things"].count_documents({}) == 0


async def test_a_refusal_of_the_database_is_raised_as_it_is(mongo: Mongo) -> None:
    async def body(tx: Transaction) -> None:
        await tx.db["things"].insert_one({"name": "a"}, session=tx.session)

    await mongo.transaction(body)
    with pytest.raises(DuplicateKeyError):
        await mongo.transaction(body)


async def test_forty_increments_at_once_all_count(mongo: Mongo) -> None:
    await mongo.db["things"].insert_one({"_id": "counter", "name": "counter", "n": 0})

    async def body(tx: Transaction) -> None:
        found = await tx.db["things"].find_one({"_id": "counter"}, session=tx.session)
        assert found is not None
        await tx.db["things"].update_one({"_id": "counter"}, {"$set": {"n": found["n"] + 1}}, session=tx.session)

    await asyncio.gather(*(mongo.transaction(body, deadline_s=60) for _ in range(40)))
    counter = await mongo.db["things"].find_one({"_id": "counter"})
    assert counter is not None
    assert counter["n"] == 40


async def test_without_a_database_it_says_unavailable_and_works_again_after(mongo: Mongo, infra: RealServers) -> None:
    async def body(tx: Transaction) -> int:
        await tx.db["things"].insert_one({"name": uuid4().hex}, session=tx.session)
        return 1

    infra.process("mongo").kill()
    try:
        with pytest.raises(Unavailable) as refusal:
            await mongo.transaction(body, deadline_s=1.0)
        assert refusal.value.retry_after_s
        assert await mongo.state() == "unreachable"
    finally:
        infra.process("mongo").start()
    assert await mongo.transaction(body, deadline_s=30.0) == 1
    assert await mongo.state() == "ok"
