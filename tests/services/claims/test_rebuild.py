"""The claims rebuilt from the log, on a real database, step by step: nothing is lost, whatever comes between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest

from deploy.simulator import flow, people
from deploy.simulator.chance import chance
from services.claims import rules
from services.claims.main import ALL_COLLECTIONS
from services.claims.rebuild import orders
from services.claims.rebuild.fence import Fence
from services.claims.rebuild.orders import REBUILDS, Rebuild, State
from services.claims.rebuild.rebuilder import Rebuilder
from services.claims.service import Claims, Limits
from services.claims.statements import Statements
from services.claims.store import CLAIMS, ClaimsStore
from services.claims.store.rows import claim_row
from shared import consumer, jobs
from shared.applier import Applier
from shared.dead_letters import DeadLetters
from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid
from shared.events.record import Record, to_message
from shared.jobs import Jobs
from shared.leases import Lease
from shared.mongo import Mongo, Transaction
from shared.outbox import LEASES
from shared.sealing import Keyring
from tests.services.claims.examples import event, paid, received, reversed_
from tests.shared.workbench import until
from tests.stack import RealServers

pytestmark = pytest.mark.servers

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


class Service:
    """What of claims takes arrivals in, without Kafka: an applier on a database of the test's own."""

    def __init__(self, mongo: Mongo, fence: Fence | None = None) -> None:
        self.mongo, self.fence = mongo, fence or Fence(mongo)
        ring = Keyring.from_setting(f"claims/1:{'A' * 43}")
        store, minute = ClaimsStore(mongo.db), timedelta(minutes=1)
        statements = Statements(mongo, store, Jobs(mongo), quiet=minute, at_most=minute)
        self.claims = Claims(store, ring, statements, Limits(100, 100), self.fence)
        letters = DeadLetters("claims", mongo, ring)
        self._applier = Applier("claims.v1", self.claims.take_claims, mongo, letters, inbox_is_log=True)  # type: ignore[arg-type]
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
    rows = [claim_row(claim, listing) for claim, listing in rules.fold({}, events)]
    # A row as MongoDB gives it back: tuples are lists.
    return {row["_id"]: {k: list(v) if isinstance(v, tuple) else v for k, v in row.items()} for row in rows}


@pytest.fixture
async def mongo(infra: RealServers) -> AsyncIterator[Mongo]:
    """A database of the test's own, with all that claims has in it."""
    wanted = {**ALL_COLLECTIONS, **consumer.collections(30), **jobs.collections()}
    part = Mongo(infra.mongo_admin_url, f"test-{uuid4().hex[:8]}", collections=wanted)
    await part.start()
    yield part
    await part.db.client.drop_database(part.db.name)
    await part.stop()


@pytest.fixture
async def service(mongo: Mongo) -> Service:
    return Service(mongo)


async def arriving(service: Service, events: Sequence[Event[Any]], at_once: int = 30) -> None:
    for first in range(0, len(events), at_once):
        await service.take(*events[first : first + at_once])


async def test_what_is_rebuilt_is_what_was_told_and_what_arrives_meanwhile_is_in_it(service: Service) -> None:
    claims = service.mongo.db[CLAIMS]
    await arriving(service, EVENTS[:240])
    await claims.update_many({}, {"$unset": {"words": "", "figures": ""}, "$set": {"search": "as it once was"}})
    await claims.drop_index("live")
    later = [*EVENTS[240:], *EVENTS[:40]]  # some are told again
    ended, _ = await asyncio.gather(service.rebuild(), arriving(service, later, 10))
    assert (ended.state, ended.lost) == (State.DONE, 0)
    service.told = list({one.id: one for one in service.told}.values())
    await service.expect_all()
    assert "live" in await claims.index_information()


async def test_a_claim_keeps_its_stamp_so_that_no_page_is_told_of_a_rebuild(service: Service) -> None:
    await arriving(service, EVENTS[:60])
    before = await service.rows()
    await service.rebuild()
    assert await service.rows() == before


class PausingFence(Fence):
    """Holds the first batch up, before or after its last write, until it is let go."""

    def __init__(self, mongo: Mongo, *, before: bool) -> None:
        super().__init__(mongo)
        self._before = before
        self.reached, self.go, self.times = asyncio.Event(), asyncio.Event(), 0

    async def _sign(self, seat: str, tx: Transaction) -> None:
        self.times += 1
        first = self.times == 1
        if first and self._before:
            await self._pause()
        await super()._sign(seat, tx)
        if first and not self._before:
            await self._pause()

    async def _pause(self) -> None:
        self.reached.set()
        await self.go.wait()


@pytest.mark.parametrize("before", [True, False], ids=["not yet signed", "signed"])
async def test_a_batch_that_began_before_the_rebuild_is_in_it(mongo: Mongo, service: Service, before: bool) -> None:
    await arriving(service, EVENTS[:40])
    slow = Service(mongo, fence := PausingFence(mongo, before=before))
    await fence.register()
    late = event(paid("R-late", member="00000001"))
    batch = asyncio.create_task(slow.take(late))
    await fence.reached.wait()
    assert await orders.ask(mongo.db, accept_losses=False)
    rebuilder = service.rebuilder()
    await service.step_until(rebuilder, State.WALKING)
    walk = asyncio.create_task(service.step_until(rebuilder, *orders.ENDED))
    if before:
        # The fence waits for nobody: the batch will have to run again.
        await until(service.any_replayed, "the walk goes on")
    else:
        await asyncio.wait([walk], timeout=0.5)  # so long a fence that does not wait has to show itself
        assert not await service.any_replayed()
    fence.go.set()
    await batch
    assert (await walk).state is State.DONE
    assert fence.times == (2 if before else 1)
    service.told.append(late)
    await service.expect_all()


async def test_nothing_is_written_between_the_last_batch_of_the_old_claims_and_the_swap(service: Service) -> None:
    await arriving(service, EVENTS[:40])
    assert await orders.ask(service.mongo.db, accept_losses=False)
    rebuilder = service.rebuilder()
    await service.step_until(rebuilder, State.SWAPPING)
    batch = asyncio.create_task(service.take(event(paid("R-late", member="00000001"))))
    await until(service.held_up, "the batch waits")
    assert await service.mongo.db[CLAIMS].count_documents({"claim_id": "R-late"}) == 0
    await service.step_until(rebuilder, State.DONE)
    await batch
    await service.expect_all()


@pytest.mark.parametrize("state", [State.ASKED, State.WALKING, State.COMPARING, State.SWAPPING, State.DISCARDING])
async def test_another_process_goes_on_where_one_was_killed(service: Service, state: State) -> None:
    await arriving(service, EVENTS[:100])
    assert await orders.ask(service.mongo.db, accept_losses=False)
    if state is State.DISCARDING:
        assert await orders.cancel(service.mongo.db)
    killed = service.rebuilder()
    await service.step_until(killed, state)
    for _ in range(3 if state in orders.TWOFOLD else 0):  # somewhere in the middle
        await killed.step()
    found = await service.standing()
    await arriving(service, EVENTS[100:140] if state is not State.SWAPPING else [])
    assert not await orders.ask(service.mongo.db, accept_losses=True), "the one under way is joined"
    ended = await service.step_until(service.rebuilder(), *orders.ENDED)
    assert ended.state is (State.CANCELLED if state is State.DISCARDING else State.DONE)
    assert (ended.target, ended.accept_losses) == (found.target, False)
    await service.expect_all()


async def test_a_swap_that_was_not_noted_any_more_is_not_made_twice(service: Service) -> None:
    await arriving(service, EVENTS[:40])
    assert await orders.ask(service.mongo.db, accept_losses=False)
    before = await service.step_until(service.rebuilder(), State.SWAPPING)
    await service.mongo.db[before.target].rename(CLAIMS, dropTarget=True)
    await service.step_until(service.rebuilder(), State.DONE)
    await service.expect_all()


async def test_several_processes_at_once_only_share_the_work(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hold(_: Lease) -> bool:
        return True

    monkeypatch.setattr(Lease, "hold", hold)
    await arriving(service, EVENTS[:100])
    assert await orders.ask(service.mongo.db, accept_losses=False)
    every = [service.step_until(service.rebuilder(), *orders.ENDED) for _ in range(3)]
    ended, *_ = await asyncio.gather(*every, arriving(service, EVENTS[100:160], 10))
    assert ended is not None
    assert (ended.state, ended.lost) == (State.DONE, 0)
    await service.expect_all()


@pytest.mark.parametrize("beside", [False, True], ids=["between two steps", "beside a step"])
async def test_a_member_erased_meanwhile_is_in_neither(
    service: Service, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    erased = MEMBERS[0].member_number
    await arriving(service, EVENTS[:100])
    assert await orders.ask(service.mongo.db, accept_losses=False)
    rebuilder = service.rebuilder()
    await service.step_until(rebuilder, State.WALKING)
    fold = rebuilder._fold
    waiting = [service.erase(erased)]

    async def erase_first(*of_the_step: Any) -> None:  # what the step has read of the log is older than the erasure
        if waiting:
            await waiting.pop()
        await fold(*of_the_step)

    if beside:
        monkeypatch.setattr(rebuilder, "_fold", erase_first)
    else:
        await until(partial(service.after_step, rebuilder), "the walk goes on")
        await waiting.pop()
    ended = await service.step_until(rebuilder, *orders.ENDED)
    assert (ended.state, ended.lost) == (State.DONE, 0)
    assert not any(row["member_number"] == erased for row in (await service.rows()).values())
    await service.expect_all()


async def test_what_the_log_cannot_give_back_is_named_and_refuses_the_swap_unless_it_is_accepted(
    service: Service,
) -> None:
    member = "00000001"
    unread, absent = event(paid("R-1", member=member), 1), event(received("R-2", member=member), 2)
    taken_back = event(reversed_("V-1", "R-1", member=member), 3)
    await service.take(unread, absent, taken_back)
    log = service.mongo.db["inbox"]
    older = unread.data.model_dump(mode="json")
    del older["lines"][0]["act_code"]
    await log.update_one({"_id": f"/claims-payment|{unread.id}"}, {"$set": {"data": older}, "$unset": {"json": 0}})
    await log.delete_one({"_id": f"/claims-payment|{absent.id}"})

    refused = await service.rebuild()
    assert refused.state is State.REFUSED
    assert {(loss.event, loss.reason) for loss in refused.losses} == {
        (f"/claims-payment|{unread.id}", "data_invalid: lines.0.act_code missing"),
        (f"/claims-payment|{absent.id}", "not_in_log"),
    }
    assert refused.lost == 2
    await service.expect_all()

    accepted = await service.rebuild(accept_losses=True)
    assert (accepted.state, accepted.lost) == (State.DONE, 2)
    service.told = [taken_back]
    await service.expect_all()


async def test_an_event_that_a_rebuild_did_not_fold_refuses_the_swap(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arriving(service, EVENTS[:30])
    (forgotten,) = [one for one in EVENTS[:30] if isinstance(one.data, ClaimPaid)][:1]
    rebuilder = service.rebuilder()
    fold = rebuilder._fold

    async def forgetful(beside: ClaimsStore, events: Sequence[Event[Any]], tx: Transaction) -> None:
        await fold(beside, [one for one in events if one.id != forgotten.id], tx)

    monkeypatch.setattr(rebuilder, "_fold", forgetful)
    assert await orders.ask(service.mongo.db, accept_losses=False)
    refused = await service.step_until(rebuilder, *orders.ENDED)
    assert refused.state is State.REFUSED
    assert [loss.reason for loss in refused.losses] == ["not_folded"]
    await service.expect_all()


async def test_what_was_left_behind_by_an_earlier_rebuild_goes(service: Service) -> None:
    await service.take(*EVENTS[:10])
    await service.mongo.db["claims_0190"].insert_one({"_id": "left"})
    await service.rebuild()
    await service.expect_all()


async def test_a_process_whose_row_was_forgotten_makes_it_again(service: Service) -> None:
    await service.fence.register()
    await service.mongo.db["claim_writers"].delete_many({})
    await service.take(*EVENTS[:10])
    assert await service.mongo.db["claim_writers"].count_documents({}) > 0
    await service.expect_all()


async def test_batches_of_one_process_that_run_side_by_side_do_not_wait_for_each_other(mongo: Mongo) -> None:
    service = Service(mongo, fence := PausingFence(mongo, before=False))
    await fence.register()
    first = asyncio.create_task(service.take(event(paid("R-1", member="00000001"))))
    await fence.reached.wait()
    await service.take(event(paid("R-2", member="00000002")))
    fence.go.set()
    await first
    assert fence.times == 2
    await service.expect_all()


async def test_only_one_is_under_way_and_what_is_over_cannot_be_cancelled(service: Service) -> None:
    asked = await asyncio.gather(*(orders.ask(service.mongo.db, accept_losses=False) for _ in range(5)))
    assert sorted(asked) == [False, False, False, False, True]
    await service.step_until(service.rebuilder(), State.DONE)
    assert not await orders.cancel(service.mongo.db)
    assert await service.mongo.db[REBUILDS].count_documents({}) == 1
