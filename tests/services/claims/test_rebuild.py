"""The claims rebuilt from the log, on a real database, step by step: nothing is lost, whatever comes between."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from services.claims import rules
from services.claims.main import ALL_COLLECTIONS
from services.claims.models import Kept
from services.claims.rebuild import orders
from services.claims.rebuild.fence import WRITER
from services.claims.rebuild.orders import REBUILDS, Loss, State
from services.claims.statements import ANNOUNCE
from services.claims.store import CLAIMS, SUPERSEDED, ClaimsStore
from services.claims.store.kept import superseded_row
from shared import consumer, jobs
from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid
from shared.leases import Lease
from shared.mongo import Mongo, Transaction
from tests.services.claims.examples import event, paid, reversed_
from tests.services.claims.rebuilding import EVENTS, MEMBERS, PausingFence, Service, arriving
from tests.shared.workbench import until
from tests.stack import RealServers

pytestmark = pytest.mark.servers


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


async def test_what_is_rebuilt_is_what_was_told_and_what_arrives_meanwhile_is_in_it(service: Service) -> None:
    claims = service.mongo.db[CLAIMS]
    await arriving(service, EVENTS[:240])
    await claims.update_many({}, {"$unset": {"words": "", "figures": ""}, "$set": {"search": "as it once was"}})
    await claims.drop_index("added_up")
    later = [*EVENTS[240:], *EVENTS[:40]]  # some are told again
    ended, _ = await asyncio.gather(service.rebuild(), arriving(service, later, 10))
    assert (ended.state, ended.lost) == (State.DONE, 0)
    service.told = list({one.id: one for one in service.told}.values())
    await service.expect_all()
    assert "added_up" in await claims.index_information()


async def test_a_claim_keeps_its_stamp_so_that_no_page_is_told_of_a_rebuild(service: Service) -> None:
    await arriving(service, EVENTS[:60])
    before = await service.rows()
    await service.rebuild()
    assert await service.rows() == before


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


async def test_what_cannot_be_read_any_more_is_named_and_refuses_the_swap_unless_it_is_accepted_and_is_kept(
    service: Service,
) -> None:
    member = "00000001"
    unread, taken_back = event(paid("R-1", member=member), 1), event(reversed_("V-1", "R-1", member=member), 3)
    await service.take(unread, event(paid("R-1", member=member), 0), taken_back)
    older = unread.data.model_dump(mode="json")
    del older["lines"][0]["act_code"]
    tampered = {"told.paid.json": json.dumps(older)}
    await service.mongo.db[CLAIMS].update_one({"told.paid.id": unread.id}, {"$set": tampered})
    before = await service.rows()

    refused = await service.rebuild()
    assert refused.state is State.REFUSED
    assert refused.losses == (Loss(unread.id, "data_invalid: lines.0.act_code missing"),)
    assert refused.lost == 1
    assert await service.rows() == before

    accepted = await service.rebuild(accept_losses=True)
    assert (accepted.state, accepted.lost) == (State.DONE, 1)
    service.told = [one for one in service.told if one is not unread]
    await service.expect_all()
    kept = await service.mongo.db[SUPERSEDED].find_one({"_id": unread.id})
    assert kept is not None
    assert json.loads(kept["json"]) == older


async def test_what_stands_in_no_claim_is_told_to_the_new_ones_too(service: Service) -> None:
    """As if a release had taken the wrong fact for the newest: the right one stands then, and none is lost."""
    older, newer = event(paid("R-1", member="00000001"), 1), event(paid("R-1", member="00000001"), 2)
    await service.take(older)
    superseded = service.mongo.db[SUPERSEDED]
    await superseded.insert_one(superseded_row(Kept.of(rules.told(newer))))
    assert (await service.rebuild()).state is State.DONE
    service.told.append(newer)
    await service.expect_all()
    assert {row["_id"] async for row in superseded.find()} == {older.id, newer.id}


async def test_events_that_come_again_change_nothing_and_wait_for_no_statement(service: Service) -> None:
    await arriving(service, EVENTS[:60])
    before = await service.rows()
    await service.mongo.db[jobs.COLLECTION].delete_many({"kind": ANNOUNCE})
    await arriving(service, list(reversed(EVENTS[:60])), 7)
    assert await service.rows() == before
    assert await service.mongo.db[jobs.COLLECTION].count_documents({"kind": ANNOUNCE}) == 0


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
    rows = service.mongo.db[jobs.COLLECTION]
    await rows.delete_many({"kind": WRITER})
    await service.take(*EVENTS[:10])
    assert await rows.count_documents({"kind": WRITER}) > 0
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
