"""The document of one identifier: what each of its updates does, on a real MongoDB."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.auth.store.attempts import LETTERS_HELD, Attempt, Attempts, Limits, Place, standing
from shared.ids import new_id
from shared.mongo import Mongo

LIMITS = Limits(max_failures=2, block=timedelta(minutes=15), per_day=25)
HERE, THERE, DEVICE = Place("here", known=False), Place("there", known=False), Place("device", known=True)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


async def _tries(mongo: Mongo, identifier: str) -> list[dict[str, Any]]:
    row = await mongo.db["sign_in_attempts"].find_one({"_id": identifier})
    return list(row["tries"]) if row else []


async def _begin(attempts: Attempts, identifier: str, *places: Place) -> list[Attempt]:
    return [await attempts.begin(identifier, place) for place in places]


@pytest.mark.servers
async def test_a_try_taken_back_lifts_the_block_it_was_part_of(mongo: Mongo) -> None:
    attempts, identifier = Attempts(mongo, LIMITS), new_id()
    first, second, there = await _begin(attempts, identifier, HERE, HERE, THERE)
    assert [first.left, second.left, there.left] == [1, 0, 1]
    await attempts.take_back(first)
    [third] = await _begin(attempts, identifier, HERE)
    assert (third.refused, third.left) == (False, 0)
    [refused] = await _begin(attempts, identifier, HERE)
    assert refused.refused
    await attempts.take_back(there)
    assert (await attempts.begin(identifier, HERE)).refused  # another place's changes nothing here


@pytest.mark.servers
async def test_a_success_forgives_its_own_place_and_an_unlock_every_one(mongo: Mongo) -> None:
    attempts, identifier = Attempts(mongo, LIMITS), new_id()
    right, wrong, *_ = await _begin(attempts, identifier, HERE, HERE, THERE, THERE, DEVICE, DEVICE)
    await mongo.transaction(lambda tx: attempts.succeeded(tx, right))
    assert not await mongo.transaction(lambda tx: attempts.stands(tx, identifier, wrong.id))
    refused = [attempt.refused for attempt in await _begin(attempts, identifier, HERE, THERE, DEVICE)]
    assert refused == [False, True, True]
    tries = await _tries(mongo, identifier)
    assert right.id not in {counted["id"] for counted in tries}  # a success never failed
    await mongo.transaction(lambda tx: attempts.forgive(tx, identifier))
    assert [a.left for a in await _begin(attempts, identifier, HERE, THERE, DEVICE)] == [1, 1, 1]
    assert len(await _tries(mongo, identifier)) == len(tries) + 3  # of the day, none is forgotten
    await mongo.transaction(lambda tx: attempts.clear(tx, identifier))
    assert not await _tries(mongo, identifier)


@pytest.mark.servers
async def test_an_unlock_makes_nothing_where_nothing_failed(mongo: Mongo) -> None:
    attempts, identifier = Attempts(mongo, LIMITS), new_id()
    await mongo.transaction(lambda tx: attempts.forgive(tx, identifier))
    assert await mongo.db["sign_in_attempts"].count_documents({"_id": identifier}) == 0


@pytest.mark.servers
async def test_the_document_stays_small_however_often_it_is_tried(mongo: Mongo) -> None:
    attempts, identifier = Attempts(mongo, LIMITS), new_id()
    places = [Place(f"network {count}", known=False) for count in range(60)] + [DEVICE] * 5
    began = await asyncio.gather(*(attempts.begin(identifier, place) for place in places))
    assert sum(not attempt.refused for attempt in began) == LIMITS.per_day + LIMITS.max_failures
    assert len(await _tries(mongo, identifier)) == LIMITS.per_day + LIMITS.max_failures


@pytest.mark.servers
async def test_of_a_letters_form_the_newest_are_held_and_the_day_has_none(mongo: Mongo) -> None:
    attempts, identifier = Attempts(mongo, LIMITS), new_id()
    [guess] = await _begin(attempts, identifier, HERE)
    places = [Place(f"network {count}", known=False) for count in range(LETTERS_HELD + 5)]
    began = [await attempts.begin(identifier, place, letter=True) for place in places]
    assert not any(attempt.refused for attempt in began)
    held = [counted["id"] for counted in await _tries(mongo, identifier)]
    assert held == [guess.id] + [attempt.id for attempt in began[5:]]
    assert [a.refused for a in await _begin(attempts, identifier, *places[: LIMITS.per_day])] == [False] * 24 + [True]


@pytest.mark.servers
async def test_a_block_may_last_a_fraction_of_a_minute(mongo: Mongo) -> None:
    attempts, identifier = Attempts(mongo, Limits(1, timedelta(milliseconds=300), 25)), new_id()
    first, second = await _begin(attempts, identifier, HERE, HERE)
    assert (first.refused, first.left, first.retry_after_s, second.refused) == (False, 0, 1, True)
    async with asyncio.timeout(30):
        refused = True
        while refused:
            refused = (await attempts.begin(identifier, HERE)).refused


def _failed(minutes_ago: float, place: Place = HERE, *, blocks: bool = False, forgiven: bool = False) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes_ago)
    return {"at": at, "where": place.where, "known": place.known, "blocks": blocks, "forgiven": forgiven}


@pytest.mark.parametrize(
    ("tries", "left", "minutes"),
    [
        ([], 2, None),
        ([_failed(14)], 1, None),
        ([_failed(15)], 2, None),
        ([_failed(14, forgiven=True)], 2, None),
        ([_failed(14, THERE), _failed(14, DEVICE)], 2, None),
        ([_failed(20), _failed(10, blocks=True)], 0, 5),  # from the second, however old the first is
        ([_failed(20), _failed(15, blocks=True)], 2, None),
        ([_failed(20), _failed(10, blocks=True, forgiven=True)], 2, None),
        ([_failed(60, THERE)] * 24, 1, None),
        ([_failed(60, THERE, forgiven=True)] * 25, 0, 23 * 60),
        ([_failed(60, DEVICE)] * 25, 2, None),
        ([_failed(24 * 60, THERE)] + [_failed(60, THERE)] * 24, 1, None),
        ([_failed(60, THERE)] * 23 + [_failed(2), _failed(1, blocks=True)], 0, 23 * 60),  # the longer of two
    ],
)
def test_where_a_place_stands(tries: list[dict[str, Any]], left: int, minutes: int | None) -> None:
    until = NOW + timedelta(minutes=minutes) if minutes is not None else None
    assert standing(tries, HERE, LIMITS, NOW) == (left, until)


def test_a_known_device_has_a_day_of_its_own() -> None:
    tries = [_failed(60, DEVICE)] * 25 + [_failed(60, THERE)] * 25
    assert standing(tries, DEVICE, LIMITS, NOW) == (0, NOW + timedelta(hours=23))
    assert standing(tries, Place("another", known=True), LIMITS, NOW) == (2, None)
