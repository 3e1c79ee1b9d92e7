"""Orders of an operator on a real database: done once, in turn, and a failing one holds nobody up."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared import operator_orders
from shared.mongo import Mongo, Transaction
from shared.operator_orders import Order, Orders, order, outcome
from tests.stack import RealServers

pytestmark = pytest.mark.servers

MEMBER = "12345678"
WITHIN_S = 30.0


@pytest.fixture
async def mongo(infra: RealServers) -> AsyncIterator[Mongo]:
    """A database of the test's own."""
    part = Mongo(
        infra.mongo_admin_url, f"test-{uuid4().hex[:8]}", collections={**operator_orders.collections(), "done": []}
    )
    await part.start()
    yield part
    await part.db.client.drop_database(part.db.name)
    await part.stop()


async def write(asked: Order, tx: Transaction) -> str:
    await tx.db["done"].insert_one({"member": asked.member_number, "reason": asked.reason}, session=tx.session)
    if asked.reason == "bad":
        raise KeyError(asked.reason)
    return "done"


async def test_orders_are_done_once_in_their_turn_and_a_failing_one_holds_nobody_up(mongo: Mongo) -> None:
    asked = [
        await order(mongo, name, MEMBER, why) for name, why in [("w", "one"), ("w", "bad"), ("x", ""), ("w", "two")]
    ]
    replicas = [Orders(mongo, {"w": write}) for _ in range(3)]
    for replica in replicas:
        await replica.start()
    became = [await outcome(mongo, one, timeout_s=WITHIN_S) for one in asked]
    for replica in replicas:
        await replica.stop()
    assert became == ["done", "failed", "unknown_order", "done"]
    assert [row["reason"] async for row in mongo.db["done"].find().sort("_id", 1)] == ["one", "two"]


async def test_an_order_that_nobody_takes_up_has_no_outcome(mongo: Mongo) -> None:
    assert await outcome(mongo, await order(mongo, "w", MEMBER, None), timeout_s=0.3) is None
