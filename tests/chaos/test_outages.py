"""What goes away comes back: no event lost, none applied twice, nobody restarts a service by hand."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from shared.events.base import Event, EventData
from shared.events.claims_payment import ClaimPaid, ClaimReversed
from tests.chaos.conftest import Bench
from tests.shared.workbench import until

pytestmark = pytest.mark.servers

EVENTS = 12_000


@pytest.mark.parametrize("shares", [(0.1,), pytest.param((0.1, 0.3, 0.5), marks=pytest.mark.slow)])
async def test_claims_killed_in_the_middle_of_batches_loses_and_doubles_nothing(
    bench: Bench, shares: tuple[float, ...]
) -> None:
    events = await _backlog(bench)
    for share in shares:
        bench.portal.start("claims")
        await bench.until_applied(int(EVENTS * share))
        bench.portal.kill("claims")
        assert bench.applied() < EVENTS, "killed too late to prove anything"
    bench.portal.start("claims")
    await _all_there(bench, events)


async def test_mongodb_killed_under_load_is_waited_for(bench: Bench) -> None:
    events = await _backlog(bench)
    bench.portal.start("claims")
    await bench.until_applied(EVENTS // 10)
    assert bench.applied() < EVENTS // 2, "killed too late to prove anything"
    bench.infra.process("mongo").kill()
    try:
        status, body, headers = bench.get("/reimbursements", bench.members[0].member_number)
        assert (status, body["code"]) == (503, "unavailable")
        assert int(headers["retry-after"]) > 0
        assert bench.ready()[0] == 503
    finally:
        bench.infra.process("mongo").start()
    await _all_there(bench, events)
    await until(bench.all_well, "every part is well again")


@pytest.mark.slow
async def test_kafka_killed_under_load_is_waited_for_while_members_go_on_reading(bench: Bench) -> None:
    events = await _backlog(bench)
    bench.portal.start("claims")
    await bench.until_applied(EVENTS // 10)
    bench.infra.process("kafka").kill()
    try:
        assert bench.get("/reimbursements", bench.members[0].member_number)[0] == 200
        assert bench.ready()[0] == 200
    finally:
        bench.infra.process("kafka").start()
    await _all_there(bench, events)


async def test_a_service_started_before_its_database_waits_and_says_so(bench: Bench) -> None:
    bench.portal.stop("claims")
    bench.infra.process("mongo").kill()
    starting = asyncio.create_task(asyncio.to_thread(bench.portal.start, "claims"))

    async def says_so() -> bool:
        status, body = bench.ready()
        stands = status == 503 and body["parts"]["mongo"] == "starting"
        return stands and '"waiting_for"' in bench.portal.log("claims")

    try:
        await until(says_so, "claims says what it waits for")
    finally:
        bench.infra.process("mongo").start()
    await asyncio.wait_for(starting, 60)
    assert bench.ready()[0] == 200


async def _backlog(bench: Bench) -> Sequence[Event[EventData]]:
    """Events that wait in Kafka for a claims service that does not run."""
    bench.portal.stop("claims")
    events = bench.load(EVENTS)
    await bench.publish(events)
    return events


async def _all_there(bench: Bench, events: Sequence[Event[EventData]]) -> None:
    """Every event is in the log once, and the API shows each member what the events say."""
    claim_events = [event for event in events if event.data.topic == "claims.v1"]
    await bench.until_applied(len(claim_events))
    for member in bench.members[:20]:
        of_member = [event.data for event in claim_events if event.data.member_number == member.member_number]
        expected = {getattr(data, "claim_id") for data in of_member}  # noqa: B009 - every claim event has one
        items = bench.listed(member.member_number)
        assert Counter(item["claim_id"] for item in items) == Counter(expected)
        assert sum(item["amount_cents"] or 0 for item in items) == sum(
            data.amount_cents for data in of_member if isinstance(data, ClaimPaid | ClaimReversed)
        )
