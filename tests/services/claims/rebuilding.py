"""What of claims takes arrivals in and rebuilds, without Kafka, and a flow of claims to do it with."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from deploy.simulator import flow, people
from deploy.simulator.chance import chance
from services.claims import rules
from services.claims.rebuild import orders
from services.claims.rebuild.fence import Fence
from services.claims.rebuild.orders import Rebuild, State
from services.claims.rebuild.rebuilder import Rebuilder
from services.claims.service import Claims, Limits
from services.claims.statements import Statements
from services.claims.store import CLAIMS, ClaimsStore
from services.claims.store.rows import claim_row
from shared.applier import Applier
from shared.dead_letters import DeadLetters
from shared.events.base import Event
from shared.events.record import Record, to_message
from shared.jobs import Jobs
from shared.mongo import Mongo, Transaction
from shared.outbox import LEASES
from shared.sealing import Keyring

WITHIN_S: Final = 60.0
A_FEW: Final = 20
MEMBERS: Final = people.population(3, 12)


def flowing(count: int) -> list[Event[Any]]:
    """Simulated events in an order that nobody would send them in: reversals come before their claims."""
    stream = flow.claims(3, MEMBERS)
    events: list[Event[Any]] = [next(stream) for _ in range(count)]
    chance("order", 3).shuffle(events)
    return events


EVENTS: Final = flowing(360)


class PausingFence(Fence):
    """Holds the first batch up, before or after its last write, until it is let go."""

    def __init__(self, mongo: Mongo, *, before: bool) -> None:
        super().__init__(mongo)
        self._before = before
        self.reached, self.go, self.times = asyncio.Event(), asyncio.Event(), 0

    @asynccontextmanager
    async def batch(self, tx: Transaction) -> AsyncIterator[list[ClaimsStore]]:
        async with super().batch(tx) as stores:
            yield stores
            self.times += 1
        if self.times == 1:
            if not self._before:
                await tx.flush()
            await self._pause()

    async def _pause(self) -> None:
        self.reached.set()
        await self.go.wait()


class Service:
    """What of claims takes arrivals in, without Kafka: an applier on a database of the test's own."""

    def __init__(self, mongo: Mongo, fence: Fence | None = None) -> None:
        self.mongo, self.fence = mongo, fence or Fence(mongo)
        ring = Keyring.from_setting(f"claims/1:{'A' * 43}")
        store, minute = ClaimsStore(mongo.db), timedelta(minutes=1)
        statements = Statements(mongo, store, Jobs(mongo), quiet=minute, at_most=minute)
        self.claims = Claims(store, ring, statements, Limits(100, 100), self.fence)
        letters = DeadLetters("claims", mongo, ring)
        self._applier = Applier("claims.v1", self.claims.take_claims, mongo, letters, has_inbox=False)  # type: ignore[arg-type]
        self.told: list[Event[Any]] = []

    async def take(self, *events: Event[Any]) -> None:
        """These events arrive, in one batch."""
        messages = map(to_message, events)
        await self._applier.apply([Record(m.topic, 0, 0, m.key, m.value, m.headers) for m in messages])
        self.told += events

    async def erase(self, member: str) -> None:
        """auth announces that this member is erased."""

        async def body(tx: Transaction) -> None:
            await self.claims.erase([member], tx)

        await self.mongo.transaction(body, deadline_s=WITHIN_S)
        self.told = [one for one in self.told if one.data.member_number != member]

    def rebuilder(self) -> Rebuilder:
        """One of a process of its own, which need not wait until a killed one's lease is over."""
        return Rebuilder(self.mongo, self.fence, A_FEW)

    async def rebuild(self, *, accept_losses: bool = False) -> Rebuild:
        """All of it, as an operator asks for it."""
        assert await orders.ask(self.mongo.db, accept_losses=accept_losses)
        return await self.step_until(self.rebuilder(), *orders.ENDED)

    async def step_until(self, rebuilder: Rebuilder, *states: State) -> Rebuild:
        """Go on until the rebuild stands so."""
        await self.mongo.db[LEASES].delete_many({})  # a killed process's
        async with asyncio.timeout(WITHIN_S):
            while (found := await self.standing()).state not in states:
                await rebuilder.step()
        return found

    async def standing(self) -> Rebuild:
        """Where it stands."""
        found = await orders.find(self.mongo.db)
        assert found is not None
        return found

    async def any_replayed(self) -> bool:
        """Whether the walk has begun."""
        return (await self.standing()).replayed > 0

    async def after_step(self, rebuilder: Rebuilder) -> bool:
        """The same one step later."""
        await rebuilder.step()
        return await self.any_replayed()

    async def held_up(self) -> bool:
        """Whether arrivals have to wait."""
        return bool(self._applier.trouble)

    async def rows(self, *without: str) -> dict[str, dict[str, Any]]:
        """The claims that members see, by key."""
        left_out = dict.fromkeys(without, 0)
        return {row["_id"]: row async for row in self.mongo.db[CLAIMS].find({}, left_out or None)}

    async def expect_all(self) -> None:
        """Everything that was told is there, as if it had come at once, and nothing else; nothing is left behind."""
        assert await self.rows("updated_at") == folded(self.told)
        names = await self.mongo.db.list_collection_names()
        assert [name for name in names if name.startswith(CLAIMS)] == [CLAIMS]


def folded(events: Sequence[Event[Any]]) -> dict[str, dict[str, Any]]:
    rows = [claim_row(claim, listing) for claim, listing in rules.fold({}, events).claims]
    # A row as MongoDB gives it back: tuples are lists.
    return {row["_id"]: {k: list(v) if isinstance(v, tuple) else v for k, v in row.items()} for row in rows}


async def arriving(service: Service, events: Sequence[Event[Any]], at_once: int = 30) -> None:
    """These events arrive, some in each batch."""
    for first in range(0, len(events), at_once):
        await service.take(*events[first : first + at_once])
