"""Processes that come and go while events arrive: the partitions are dealt out anew, once for each of them."""

import asyncio
import random

import pytest

from shared.events.base import Event
from tests.shared.echo import Spoken
from tests.shared.workbench import Echo, until

pytestmark = pytest.mark.servers

EVENTS = 9_000


async def test_processes_that_join_and_leave_amid_a_backlog_let_the_others_go_on(echo: Echo) -> None:
    draw = random.Random(7)  # noqa: S311 - the same members each time
    events = [
        Event.of(Spoken(member_number=f"{draw.randrange(500):08d}", number=number, word="say"))
        for number in range(EVENTS)
    ]
    await echo.publish(events)
    echo.start()
    await echo.kept(500)
    echo.start_another()
    await echo.kept(2_500)
    echo.start_another()
    await echo.kept(4_500)
    echo.kill()
    effects = await echo.kept(EVENTS, within_s=90)
    assert sorted(effect["number"] for effect in effects) == list(range(EVENTS))
    for member in {effect["member_number"] for effect in effects}:
        numbers = [effect["number"] for effect in effects if effect["member_number"] == member]
        assert numbers == sorted(numbers), "a member's events out of order"

    async def all_committed() -> bool:
        return await echo.behind() == 0

    await until(all_committed, "the last offsets", 30)
    await asyncio.sleep(3)
    joined = echo.log.read_text().count("Heartbeat failed for group")
    assert joined < 12, "they are made to join again and again"
