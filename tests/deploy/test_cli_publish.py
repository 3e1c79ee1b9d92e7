"""The operators' command line and the simulator on a real Kafka, with the rights they have."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest

from deploy.cli.environment import kafka_access
from deploy.cli.publisher import BrokerUnreachable, Publisher
from deploy.simulator import demo, enrolled, population
from shared import clock
from shared.events.auth import PasswordReset
from shared.events.base import Event
from tests.deploy.command import run
from tests.kafka import Tail, of_service
from tests.shared.events.examples import golden
from tests.stack import RealServers

pytestmark = pytest.mark.servers


@pytest.fixture
def operators(infra: RealServers) -> Mapping[str, str]:
    return infra.operators()


@pytest.fixture
async def written_to(operators: Mapping[str, str]) -> AsyncIterator[Tail]:
    async with Tail(of_service(operators)) as tail:
        yield tail


async def test_an_event_is_published_and_its_place_printed(operators: Mapping[str, str], written_to: Tail) -> None:
    event = {"type": "ClaimPaid", "id": "e-1", "subject": "R-2026-000123", "data": golden("ClaimPaid")["data"]}

    done = run(operators, "deploy.cli", "publish", "-", stdin=json.dumps(event))

    assert (done.returncode, done.stderr) == (0, "")
    shown = dict(part.split("=") for part in done.stdout.split())
    assert (shown["topic"], shown["id"]) == ("claims.v1", "e-1")
    assert shown["partition"].isdigit()
    assert shown["offset"].isdigit()
    [found] = await written_to.events()
    assert (found.id, found.type, found.subject, found.source) == (
        "e-1",
        "ClaimPaid",
        "R-2026-000123",
        "/claims-payment",
    )
    assert found.data.claim_id == "R-2026-000123"  # type: ignore[attr-defined]  # a ClaimPaid


async def test_an_invalid_event_is_not_published(operators: Mapping[str, str], written_to: Tail) -> None:
    event = {"type": "ClaimPaid", "data": golden("ClaimPaid")["data"] | {"amount_cents": 1}}

    done = run(operators, "deploy.cli", "publish", "-", stdin=json.dumps(event))

    assert done.returncode == 2
    assert await written_to.events() == []


def test_a_wrong_password_is_status_1(operators: Mapping[str, str]) -> None:
    example = run(operators, "deploy.cli", "example", "ClaimPaid").stdout

    done = run({**operators, "KAFKA_PASSWORD": "wrong"}, "deploy.cli", "publish", "-", stdin=example)

    assert done.returncode == 1
    assert done.stderr.startswith("portal: not published: ")
    assert "wrong" not in done.stderr


async def test_the_services_topics_are_closed_to_operators(operators: Mapping[str, str]) -> None:
    event = Event.of(PasswordReset(member_number="12345678", at=clock.now()))

    with pytest.raises(BrokerUnreachable, match="TopicAuthorizationFailed"):
        async with Publisher(kafka_access(operators), timeout_s=10) as publisher:
            await publisher.send(event)


async def test_the_simulator_enrols_and_keeps_its_rate(operators: Mapping[str, str], written_to: Tail) -> None:
    began = clock.now()

    done = run(operators, "deploy.simulator", "--members", "5", "--seed", "9", "--rate", "20", "--duration", "3")

    assert (done.returncode, done.stderr) == (0, "")
    events = await written_to.events()
    enrolments = [event for event in events if event.data.topic == "membership.v1"]
    claims = [event for event in events if event.data.topic == "claims.v1"]
    assert {event.data.member_number for event in enrolments} == {one.member_number for one in population(9, 5)}
    assert len(claims) == 60
    times = sorted(event.time for event in claims)
    assert times[0] >= began
    assert timedelta(seconds=2.5) < times[-1] - times[0] < timedelta(seconds=10)
    assert [event.time for event in claims if event.data.member_number == "12345678"] == sorted(
        event.time for event in claims if event.data.member_number == "12345678"
    )


async def test_only_enrolments_if_asked(operators: Mapping[str, str], written_to: Tail) -> None:
    done = run(operators, "deploy.simulator", "--members", "30", "--seed", "9", "--enrol-only")

    assert done.returncode == 0
    assert {event.id for event in await written_to.events()} == {event.id for event in enrolled(population(9, 30))}


async def test_the_demo_loaded_again_is_the_same_events_again(operators: Mapping[str, str], written_to: Tail) -> None:
    import asyncio

    first = await asyncio.to_thread(demo.load, operators)
    written_first = await written_to.events()
    second = await asyncio.to_thread(demo.load, operators)
    written_again = await written_to.events()

    assert first == second
    assert (first[0].member_number, first[0].nir13) == ("12345678", "2840575117001")
    assert len(written_first) > 100
    by_order = [sorted(events, key=lambda event: event.order) for events in (written_first, written_again)]
    assert by_order[0] == by_order[1]
