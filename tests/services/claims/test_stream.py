"""`GET /stream` of the running service: what is published on Kafka reaches an open page, whatever breaks meanwhile."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import pytest

from shared import clock
from shared.events.auth import SessionsClosed
from shared.events.base import Event
from tests.services.claims.conftest import WITHIN_S, ClaimsService, Told
from tests.services.claims.examples import event, paid, reversed_
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_a_payment_reaches_an_open_stream(service: ClaimsService, member: str) -> None:
    async with service.stream(service.token(member)) as stream:
        assert stream.response.status == 200
        assert _headers(stream.response.headers) >= {
            ("content-type", "text/event-stream; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        }
        begun = await stream.begun()
        await service.publish(event(paid("R-1", member=member)))
        told = await stream.next(within_s=10)
        assert told is not None
        assert (told.event, told.data) == ("claim", {"id": "R-1"})
        assert int(begun) <= int(told.id) <= time.time() * 1000
        shown = await service.get("/reimbursements/R-1", member)
        assert (await shown.json())["status"] == "paid"


async def test_a_stream_tells_its_own_member_only(service: ClaimsService, member: str) -> None:
    other = f"{(int(member) + 1) % 10**8:08d}"
    async with service.stream(service.token(member)) as stream:
        await stream.begun()
        await service.publish(event(paid("R-other", member=other)), event(paid("R-mine", member=member)))
        told = await stream.next()
        assert told is not None
        assert told.data == {"id": "R-mine"}


async def test_a_reversal_tells_of_both_claims(service: ClaimsService, member: str) -> None:
    await service.publish(event(paid("R-1", member=member), 1))
    await service.until_listed(member, "R-1")
    async with service.stream(service.token(member)) as stream:
        await stream.begun()
        await service.publish(event(reversed_("V-1", "R-1", member=member), 2))
        told: list[str] = []
        while not {"R-1", "V-1"} <= set(told):  # the payment before may be told once more
            heard = await stream.next()
            assert heard is not None
            told.append(heard.data["id"])


@pytest.mark.parametrize("by_header", [True, False], ids=["Last-Event-ID", "?after="])
async def test_a_stream_that_comes_back_hears_what_it_missed(
    service: ClaimsService, member: str, by_header: bool
) -> None:
    async with service.stream(service.token(member)) as stream:
        await stream.begun()
        await service.publish(event(paid("R-1", member=member)))
        last = await stream.next()
    assert last is not None
    await service.publish(event(paid("R-2", member=member)))
    await service.until_listed(member, "R-1", "R-2")
    resumed = {"last_event_id": last.id, "after": 1} if by_header else {"after": int(last.id)}
    async with service.stream(service.token(member), **resumed) as stream:
        missed: list[Told] = []
        while (told := await stream.next()) and told.event:
            missed.append(told)
        assert [t.data["id"] for t in missed] == ["R-1", "R-2"]  # what is younger than 60 s may be told again
        assert missed[0].id == last.id


async def test_a_stream_tells_only_what_changed_since_its_id(service: ClaimsService, member: str) -> None:
    await service.publish(event(paid("R-1", member=member)))
    await service.until_listed(member, "R-1")
    later = int(time.time() * 1000) + 3_600_000
    async with service.stream(service.token(member), after=later) as stream:
        await stream.begun()


async def test_more_than_two_hundred_missed_changes_are_one_reload(service: ClaimsService, member: str) -> None:
    claim_ids = [f"R-{i}" for i in range(201)]
    await asyncio.gather(*(service.publish(event(paid(claim_id, member=member))) for claim_id in claim_ids))
    stored = 0
    async with asyncio.timeout(30):
        while stored < len(claim_ids):
            await asyncio.sleep(0.05)
            stored = service.db["claims"].count_documents({"member_number": member})
    async with service.stream(service.token(member), after=1) as stream:
        told = await stream.next()
        assert told is not None
        assert (told.event, told.data) == ("reload", {})
    async with service.stream(service.token(member), last_event_id=told.id) as stream:
        again = await stream.next()
        assert again is not None
        assert again.event == "reload"  # the changes are younger than the overlap


async def test_a_stream_outlives_a_killed_database(service: ClaimsService, infra: RealServers, member: str) -> None:
    async with service.stream(service.token(member)) as stream:
        await stream.begun()
        mongo = infra.process("mongo")
        await asyncio.to_thread(mongo.kill)
        await service.publish(event(paid("R-1", member=member)))
        refused = await service.get("/reimbursements", member)
        assert (refused.status, refused.get_header("retry-after")) == (503, "5")
        await asyncio.to_thread(mongo.start)
        told = await stream.next(within_s=WITHIN_S)
        assert told is not None
        # Killed between a write and its journal, the database may no longer know where the stream stood.
        assert (told.event, told.data) in [("claim", {"id": "R-1"}), ("reload", {})]
        await service.until_listed(member, "R-1")


async def test_a_stream_ends_with_its_token(service: ClaimsService, member: str) -> None:
    nearly_over = service.token(member, now=clock.now() - timedelta(seconds=297))
    async with service.stream(nearly_over) as stream:
        await stream.begun()
        assert await stream.next(within_s=10) is None


async def test_a_stream_ends_when_its_session_is_closed(service: ClaimsService, member: str) -> None:
    session = uuid4().hex
    async with (
        service.stream(service.token(member, session)) as closed,
        service.stream(service.token(member)) as other,
    ):
        await closed.begun()
        await other.begun()
        await service.publish_as_auth(Event.of(SessionsClosed(member_number=member, session_ids=(session,))))
        assert await closed.next(within_s=20) is None
        await service.publish(event(paid("R-1", member=member)))
        told = await other.next()
        assert told is not None
        assert told.data == {"id": "R-1"}


async def test_a_stop_ends_open_streams(service: ClaimsService, member: str) -> None:
    async with service.stream(service.token(member)) as stream:
        await stream.begun()
        stopping = asyncio.create_task(asyncio.to_thread(service.portal.restart, "claims"))
        assert await stream.next(within_s=5) is None
        await stopping
    async with service.stream(service.token(member)) as stream:
        await stream.begun()


def _headers(headers: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(name.lower(), value) for name, value in headers.items()}
