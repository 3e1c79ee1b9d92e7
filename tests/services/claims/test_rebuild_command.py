"""`portal claims rebuild` on the running service: members read on, open pages hear on, and a killed one goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any

import pymongo
import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from deploy.simulator import flow, people
from services.claims.rebuild.orders import REBUILDS
from services.claims.store import SUPERSEDED
from services.claims.store.kept import FACTS
from shared import clock
from shared.events.base import Event
from shared.live import key
from shared.outbox import LEASES
from tests.deploy.command import run
from tests.services.claims.conftest import WITHIN_S, ClaimsService
from tests.services.claims.examples import event, paid
from tests.services.claims.kept import kept_of
from tests.stack import RealServers, RunningPortal

pytestmark = pytest.mark.servers

MEMBERS = people.population(26, 10)
EVENTS = 300


@pytest.fixture(scope="module")
def processes(infra: RealServers) -> Iterator[RunningPortal]:
    """auth, and claims with small steps and no claims but its own: those of other tests may have been tampered with."""
    with pymongo.MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        for name in ("claims", SUPERSEDED, REBUILDS):
            client["claims"][name].delete_many({})
    portal = RunningPortal(infra, {"REBUILD_MAX_RECORDS": "5"})
    try:
        for service in ("auth", "claims"):
            portal.start(service)
        yield portal
    finally:
        for service in ("claims", "auth"):
            portal.stop(service)


def beside(service: ClaimsService, *arguments: str) -> asyncio.Task[CompletedProcess[str]]:
    """`portal claims rebuild` with these arguments, while the test goes on."""
    return asyncio.create_task(asyncio.to_thread(run, service.operators, "deploy.cli", "claims", "rebuild", *arguments))


async def portal(service: ClaimsService, *arguments: str) -> Result:
    """The same, in this process."""
    command = ["claims", "rebuild", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, command, env=service.operators)


@pytest.fixture
async def told(service: ClaimsService) -> list[Event[Any]]:
    """A few hundred simulated events, all of them applied; published once for all tests."""
    stream = flow.claims(26, MEMBERS)
    events: list[Event[Any]] = [next(stream) for _ in range(EVENTS)]
    ids, members = {one.id for one in events}, [one.member_number for one in MEMBERS]
    kept = kept_of(service.db, members)
    if not kept:
        await asyncio.gather(*(service.publish(one) for one in events))
    async with asyncio.timeout(WITHIN_S):
        while ids - kept.keys():
            await asyncio.sleep(0.05)
            kept = kept_of(service.db, members)
    return events


@asynccontextmanager
async def reading(service: ClaimsService, member: str) -> AsyncIterator[set[tuple[int, bool]]]:
    """A member who reads the list again and again: the statuses of the answers, and whether it was all there."""
    count = service.db["claims"].count_documents({"member_number": member, "status": {"$exists": True}})
    answers: set[tuple[int, bool]] = set()

    async def read() -> None:
        while True:
            answer = await service.get("/reimbursements", member)
            answers.add((answer.status, (await answer.json()).get("totals", {}).get("claim_count", 0) >= count))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(read())
    try:
        yield answers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_was_never_asked_for_or_makes_no_sense_is_said(service: ClaimsService) -> None:
    for arguments, said in [
        (["--status"], "no rebuild was ever asked for"),
        (["--cancel"], "none is under way that can still be ended"),
        (["--status", "--cancel"], "--accept-losses, --status and --cancel exclude each other"),
    ]:
        answer = await portal(service, *arguments)
        assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", f"portal: {said}\n")


async def test_members_read_and_hear_on_while_their_claims_are_rebuilt(
    service: ClaimsService, told: list[Event[Any]]
) -> None:
    member = told[0].data.member_number
    claims = service.db["claims"]
    before = {row["_id"]: row for row in claims.find()}
    claims.update_many({}, {"$unset": {"words": ""}})
    async with service.stream(service.token(member)) as stream, reading(service, member) as answers:
        await stream.begun()
        rebuilding = beside(service)
        arrived: list[str] = []
        while not rebuilding.done():
            arrived.append(f"R-{len(arrived)}")
            await service.publish(event(paid(arrived[-1], member=member)))
            await asyncio.sleep(0.1)
        await service.publish(event(paid("R-after", member=member)))
        heard: list[str] = []
        while "R-after" not in heard:
            one = await stream.next()
            assert one is not None
            heard.append(one.data["id"])
    ended = await rebuilding
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1].startswith("rebuild=done ")
    assert ended.stdout.endswith(" lost=0\n")
    assert answers == {(200, True)}
    assert set(heard) == {*arrived, "R-after"}, "of what is rebuilt nobody is told"
    now = {row["_id"]: row for row in claims.find()}
    assert {claim: now.get(claim) for claim in before} == before
    assert now.keys() - before.keys() == {key(member, claim_id) for claim_id in heard}


async def test_a_rebuild_that_was_killed_in_the_middle_is_joined_and_goes_on(
    service: ClaimsService, told: list[Event[Any]]
) -> None:
    before = {row["_id"]: row for row in service.db["claims"].find()}
    first = beside(service, "--timeout-seconds", "2")
    replayed = 0
    async with asyncio.timeout(WITHIN_S):
        while replayed < 20:
            await asyncio.sleep(0.01)
            replayed = (service.db[REBUILDS].find_one({"state": "walking"}) or {"replayed": 0})["replayed"]
    await asyncio.to_thread(service.portal.kill, "claims")
    try:
        gave_up = await first
        shown = await portal(service, "--status")
    finally:
        await asyncio.to_thread(service.portal.start, "claims")
    joined = await portal(service)
    assert gave_up.returncode == 1
    assert gave_up.stderr == "portal: nothing happened for 2 s; it is written down and goes on when claims runs\n"
    assert shown.stdout.startswith("rebuild=walking replayed=")
    assert (joined.exit_code, joined.stderr) == (
        0,
        "portal: one is under way already, and goes on as it was asked for\n",
    )
    assert {row["_id"]: row for row in service.db["claims"].find()} == before
    assert joined.stdout.endswith((await portal(service, "--status")).stdout)


async def test_losses_are_named_and_a_cancelled_one_changes_nothing(
    service: ClaimsService, told: list[Event[Any]]
) -> None:
    (kind,) = [name for name, contract in FACTS.items() if contract is type(told[0].data) and name != "reversed_by"]
    service.db["claims"].update_one({f"told.{kind}.id": told[0].id}, {"$set": {f"told.{kind}.json": "{"}})
    before = list(service.db["claims"].find().sort("_id"))
    refused = await portal(service)
    assert (refused.exit_code, refused.stderr.splitlines()) == (
        2,
        [
            f"portal: event={told[0].id} reason=json_invalid",
            "portal: refused: the claims are as they were; --accept-losses swaps without these events",
        ],
    )
    # Of the next one nothing is done before it is cancelled: another process has the lease.
    held = {"owner": "another", "until": clock.now() + timedelta(hours=1)}
    service.db[LEASES].update_one({"_id": "rebuild"}, {"$set": held}, upsert=True)
    service.db[REBUILDS].update_one({}, {"$set": {"state": "asked", "after": "", "until": None}})
    cancelling = asyncio.create_task(portal(service, "--cancel"))
    asked = None
    async with asyncio.timeout(WITHIN_S):
        while not asked:
            await asyncio.sleep(0.01)
            asked = service.db[REBUILDS].find_one({"cancelled": True})
    service.db[LEASES].delete_one({"_id": "rebuild"})
    cancelled = await cancelling
    assert (cancelled.exit_code, cancelled.stderr) == (2, "portal: cancelled: the claims are as they were\n")
    assert list(service.db["claims"].find().sort("_id")) == before
    accepted = await portal(service, "--accept-losses")
    assert (accepted.exit_code, accepted.stderr.splitlines()) == (0, refused.stderr.splitlines()[:1])
