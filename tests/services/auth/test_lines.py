"""Tries with one identifier wait for each other."""

import asyncio
import time
from itertools import pairwise

import pytest

from services.auth import lines
from services.auth.lines import MAX_IN_LINE, Crowded, Lines


class Wrong(Exception):
    """What a try that fails raises."""


async def _fail(held: Lines, name: str, begun: list[float], *, takes_s: float) -> None:
    async with held.turn(name):
        begun.append(time.monotonic())
        await asyncio.sleep(takes_s)
        raise Wrong


async def test_tries_of_one_line_come_one_after_the_other_and_those_of_others_pass_them() -> None:
    held, over, inside = Lines(), asyncio.Event(), list[int]()

    async def guess(number: int) -> None:
        async with held.turn("attacked"):
            inside.append(number)
            await over.wait()

    guesses = [asyncio.create_task(guess(number)) for number in range(MAX_IN_LINE)]
    await asyncio.sleep(0)
    async with held.turn("somebody else's"):
        assert inside == [0]
    over.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*guesses)
    assert inside == list(range(MAX_IN_LINE))
    await asyncio.sleep(0.01)
    assert len(held) == 0  # a line is forgotten once it is empty


async def test_a_line_rests_after_a_try_that_failed_for_a_multiple_of_what_it_took() -> None:
    held, begun = Lines(), list[float]()
    tries = [_fail(held, "attacked", begun, takes_s=0.02) for _ in range(3)]
    assert [type(one) for one in await asyncio.gather(*tries, return_exceptions=True)] == [Wrong] * 3
    assert [later - earlier >= 0.02 * (1 + lines.RESTS) for earlier, later in pairwise(begun)] == [True, True]
    assert len(held) == 1  # it rests yet: who comes now waits


async def test_who_is_let_in_is_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RESTS", 10**6)
    held = Lines()
    async with asyncio.timeout(60):
        for _ in range(3):
            async with held.turn("a household's"):
                await asyncio.sleep(0.01)


async def test_no_rest_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RESTS", 10**6)
    monkeypatch.setattr(lines, "MAX_REST_S", 0.05)
    held, begun = Lines(), list[float]()
    async with asyncio.timeout(60):
        tries = [_fail(held, "attacked", begun, takes_s=0.01) for _ in range(3)]
        await asyncio.gather(*tries, return_exceptions=True)
    assert len(begun) == 3


async def test_nobody_waits_for_more_than_a_days_tries_and_who_gives_up_makes_room() -> None:
    held, over = Lines(), asyncio.Event()

    async def guess() -> None:
        async with held.turn("attacked"):
            await over.wait()

    guesses = [asyncio.create_task(guess()) for _ in range(MAX_IN_LINE)]
    await asyncio.sleep(0)
    assert held.is_full("attacked")
    with pytest.raises(Crowded):
        await guess()
    guesses[-1].cancel()
    await asyncio.gather(guesses[-1], return_exceptions=True)
    assert not held.is_full("attacked")
    guesses[0].cancel()  # the one whose turn it is: the next one has it once the line has rested
    over.set()
    async with asyncio.timeout(60):
        assert await asyncio.gather(*guesses[1:-1]) == [None] * (MAX_IN_LINE - 2)
