"""Transactions on a real replica set: all or nothing, conflicts retried, an outage named."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pymongo import ASCENDING, IndexModel, ReplaceOne, UpdateOne
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


async def test_what_is_written_last_is_written_with_the_transaction_or_not_at_all(mongo: Mongo) -> None:
    async def body(tx: Transaction) -> None:
        for name in ("a", "b"):
            tx.write_last("things", ReplaceOne({"_id": name}, {"name": name}, upsert=True))
        assert await tx.db["things"].count_documents({}, session=tx.session) == 0
        await tx.flush("things")
        assert await tx.db["things"].count_documents({}, session=tx.session) == 2
        tx.write_last("things", UpdateOne({"_id": "b"}, {"$set": {"name": "c"}}))
        if refused:
            raise KeyError

    refused = True
    with pytest.raises(KeyError):
        await mongo.transaction(body)
    assert await mongo.db["things"].count_documents({}) == 0
    refused = False
    await mongo.transaction(body)
    assert [row["name"] async for row in mongo.db["things"].find().sort("_id")] == ["a", "c"]


async def test_a_last_write_that_finds_nothing_has_the_transaction_tried_again(mongo: Mongo) -> None:
    ended: list[bool] = []

    async def body(tx: Transaction) -> None:
        tx.at_end.append(ended.append)
        await tx.db["things"].insert_one({"name": "beside"}, session=tx.session)
        tx.write_last("things", UpdateOne({"_id": "row"}, {"$inc": {"n": 1}}))
        if ended:  # another process makes it meanwhile
            await mongo.db["things"].update_one({"_id": "row"}, {"$set": {"name": "row"}}, upsert=True)

    await mongo.transaction(body, deadline_s=20)
    assert ended == [False, False, True]
    assert await mongo.db["things"].count_documents({"name": "beside"}) == 1
    assert await mongo.db["things"].count_documents({"_id": "row", "n": 1}) == 1


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
