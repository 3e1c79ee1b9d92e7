"""What an operator orders a service to do with one member's account: a row that the service takes up within seconds.

An operator has no key of a service and touches none of its collections: `portal` writes the row, the service does what
it says in its own transaction and notes the outcome beside it, which `portal` waits for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel
from pymongo.errors import PyMongoError

from shared.backoff import Backoff
from shared.conflicts import WriteConflict
from shared.errors import Unavailable
from shared.ids import new_id
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction

COLLECTION = "operator_orders"
KEPT_S = 90 * 86_400
POLL_S = 1.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """`name`: what is to be done; `reason`: a stable code where one is asked for."""

    id: str
    name: str
    member_number: str
    reason: str | None


OrderHandler = Callable[[Order, Transaction], Awaitable[str]]
"""Does it and answers the outcome, a stable code: `done`, `unknown_member`, …; one that raises has `failed`."""


def collections() -> Mapping[str, Sequence[IndexModel]]:
    """The collection; rows go by themselves after three months."""
    return {
        COLLECTION: [
            IndexModel([("outcome", ASCENDING), ("asked_at", ASCENDING)]),
            IndexModel([("asked_at", ASCENDING)], expireAfterSeconds=KEPT_S),
        ]
    }


async def order(mongo: Mongo, name: str, member_number: str, reason: str | None) -> str:
    """The operators' side: write the order; answers its id. Needs `insert` in the collection."""
    order_id = new_id()
    row = {"member_number": member_number, "name": name, "reason": reason, "asked_at": datetime.now(UTC)}
    await mongo.db[COLLECTION].insert_one({"_id": order_id, **row, "outcome": None})
    return order_id


async def outcome(mongo: Mongo, order_id: str, *, timeout_s: float) -> str | None:
    """The same side: what became of it; `None` if the service did not take it up in time. Needs `find`."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                row = await mongo.db[COLLECTION].find_one({"_id": order_id})
                if row and row["outcome"]:
                    return str(row["outcome"])
                await asyncio.sleep(0.1)
    except TimeoutError:
        return None


class _Failed(Exception):
    """The service could not do it, and would not the next time either."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.id)
        self.order = order


class Orders:
    """The service's side: takes up one order after the other, each with its effect in one transaction."""

    name = "operator_orders"
    required = False

    def __init__(self, mongo: Mongo, handlers: Mapping[str, OrderHandler]) -> None:
        self._mongo, self._handlers = mongo, dict(handlers)
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Stop between two orders, or give up the one under way with nothing written."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def state(self) -> str:
        """`ok`, or why orders wait."""
        return self._trouble or "ok"

    async def _run(self) -> None:
        backoff = Backoff(first_s=0.5, cap_s=10.0)
        while True:
            try:
                taken = await self._mongo.transaction(self._take)
                self._trouble = ""
                backoff.reset()
                if not taken:
                    await asyncio.sleep(POLL_S)
            except _Failed as failed:  # nothing of it was done; the orders after it must not wait for a new release
                log.error("operator_order_failed", order=failed.order.name, exc_info=failed.__cause__)
                change = {"$set": {"outcome": "failed", "done_at": datetime.now(UTC)}}
                await self._mongo.db[COLLECTION].update_one({"_id": failed.order.id}, change)
            except (PyMongoError, Unavailable) as error:
                self._trouble = f"waiting: {type(error).__name__}"
                await backoff.sleep()
            except Exception as error:  # nobody else would notice that orders are no longer taken up
                self._trouble = f"failing: {type(error).__name__}"
                log.exception("orders_failed")
                await backoff.sleep()

    async def _take(self, tx: Transaction) -> bool:
        row = await tx.db[COLLECTION].find_one({"outcome": None}, sort=[("asked_at", ASCENDING)], session=tx.session)
        if row is None:
            return False
        asked = Order(row["_id"], row["name"], row["member_number"], row["reason"])
        handler = self._handlers.get(asked.name)
        try:
            result = await handler(asked, tx) if handler else "unknown_order"
        except (PyMongoError, WriteConflict):
            raise
        except Exception as error:
            raise _Failed(asked) from error
        change = {"$set": {"outcome": result, "done_at": datetime.now(UTC)}}
        await tx.db[COLLECTION].update_one({"_id": asked.id}, change, session=tx.session)
        log.info("operator_order", order=asked.name, reason=asked.reason, outcome=result)
        return True
