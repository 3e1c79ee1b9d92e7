"""Events out, on real servers: at least once, in each member's order, whoever is killed when."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest

from shared.events.base import Event
from tests.shared.echo import Spoken
from tests.shared.workbench import Echo

pytestmark = pytest.mark.servers


async def test_a_members_events_go_out_in_the_order_in_which_they_were_committed(echo: Echo) -> None:
    await echo.publish(_events(600, members=7))
    echo.start()
    await echo.kept(600)
    await echo.drained()
    records = await echo.read(echo.topic_out)
    assert _first_deliveries(records) == _expected(600, members=7)
    assert len(records) == 600


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.slow)])
async def test_killed_again_and_again_nothing_is_lost_or_doubled(echo: Echo, kills: int) -> None:
    """kill -9 in the middle of batches and of publishing: each effect once, each echo at least once and in order."""
    total = 3000 * (kills + 1)
    await echo.publish(_events(total, members=50))
    for turn in range(kills):
        echo.start()
        await echo.kept(500 + turn * 1000, within_s=60)
        await asyncio.sleep(0.15 * turn)
        echo.kill()
        assert echo.db["effects"].count_documents({}) < total, "killed too late to prove anything"
    echo.start()
    effects = await echo.kept(total, within_s=90)
    await echo.drained(within_s=60)
    numbers = [effect["number"] for effect in effects]
    assert len(numbers) == len(set(numbers)) == total
    assert _first_deliveries(await echo.read(echo.topic_out)) == _expected(total, members=50)


async def test_asked_to_stop_it_finishes_its_work_and_leaves_with_status_0(echo: Echo) -> None:
    await echo.publish(_events(2000, members=20))
    echo.start()
    await echo.kept(100)
    assert echo.stop() == 0
    assert b'"stopped"' in echo.log.read_bytes()


def _events(total: int, members: int) -> list[Event[Spoken]]:
    return [Event.of(Spoken(member_number=f"{n % members:08d}", number=n)) for n in range(total)]


def _expected(total: int, members: int) -> dict[bytes, list[int]]:
    return {f"{m:08d}".encode(): list(range(m, total, members)) for m in range(members)}


def _first_deliveries(records: list[Any]) -> dict[bytes, list[int]]:
    """Each member's numbers in the order of their first delivery (an old relay may repeat, never run ahead)."""
    seen: defaultdict[bytes, dict[int, None]] = defaultdict(dict)
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        number = int(record.value.split(b'"number":')[1].split(b"}")[0].split(b",")[0])
        seen[record.key].setdefault(number)
    return {key: list(numbers) for key, numbers in seen.items()}
