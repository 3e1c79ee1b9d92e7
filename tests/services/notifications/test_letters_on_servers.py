"""Letters from event to bucket, on real servers."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.notifications.service.letters import DELETE, RENDER
from shared.events.auth import PasswordChanged, PasswordReset
from shared.events.base import Event, EventData
from shared.events.casework import LetterPosted
from shared.events.membership import MemberUpdated
from shared.events.notifications import LetterReady
from tests.processes import Service, until
from tests.services.notifications.conftest import World
from tests.stack import RealServers

pytestmark = pytest.mark.servers

PASSWORD = "K7MP-4RTX-92VD"
BELLECOUR = {"lines": ["1 PLACE BELLECOUR"], "postal_code": "69002", "city": "LYON", "country": "FR"}


async def announced(world: World, number: str) -> list[LetterReady]:
    """Each LetterReady once: the relay may repeat one, under the same id, when it is killed."""
    events = {event.id: event.data for event in await world.published(number)}
    return [data for data in events.values() if isinstance(data, LetterReady)]


async def the_only_letter(world: World, number: str, within_s: float = 30.0) -> str:
    """The object of the member's one letter, once it is there; fails if there is a second or a second LetterReady."""
    [name] = until("a letter", lambda: world.letters(number), within_s)
    [ready] = await announced(world, number)
    assert (ready.bucket, ready.object) == ("letters", name)
    return name


@pytest.mark.parametrize("first", ["enrolment", "password"])
async def test_whichever_comes_second_there_is_one_letter_with_the_password(
    world: World, service: Service, number: str, first: str
) -> None:
    events: list[Event[Any]] = [world.enrolled(number), world.issued(number, PASSWORD)]
    if first == "password":
        events.reverse()
    await world.publish(events[0])
    until(f"{first} is known", lambda: world.db["members" if first == "enrolment" else "letters"].count_documents({}))
    await world.publish(events[1], events[1])
    lines = world.letter_lines(await the_only_letter(world, number))
    assert f"Votre mot de passe provisoire : {PASSWORD}" in lines
    assert "MME LAURE DUPONT" in lines
    assert "69003 LYON" in lines


async def test_a_letter_waits_for_an_address_and_is_made_as_soon_as_there_is_one(
    world: World, service: Service, number: str
) -> None:
    await world.publish(
        world.enrolled(number),
        Event.of(MemberUpdated.model_validate({"member_number": number, "postal_address": None})),
    )
    until("the address is removed", lambda: world.db["inbox"].count_documents({}) and _member(world, number) == [])
    await world.publish(world.issued(number, PASSWORD))
    until("the letter waits", lambda: _waits(world, number))
    world.db["jobs"].update_one(_letter_job(number), {"$set": {"first_put_at": datetime.now(UTC) - timedelta(hours=1)}})
    until("it waits for long", lambda: _waits(world, number, at_least_s=120))
    update = MemberUpdated.model_validate_json(json.dumps({"member_number": number, "postal_address": BELLECOUR}))
    await world.publish(Event.of(update))
    [name] = until("a letter, long before the recheck", lambda: world.letters(number), within_s=10)
    assert "1 PLACE BELLECOUR" in world.letter_lines(name)


def _member(world: World, number: str) -> Any:
    row = world.db["members"].find_one({"_id": number})
    if row is None:
        return None
    text = world.at_rest.open_at_rest(row["sealed"], context=f"members/{number}").decode()
    return [] if '"postal_address":{"value":null' in text else text


async def test_a_letter_that_the_arrival_of_its_address_did_not_wake_is_made_all_the_same(
    world: World, service: Service, number: str
) -> None:
    await world.publish(world.issued(number, PASSWORD))
    until("the letter waits", lambda: _waits(world, number))
    # As if both had been committed side by side, neither seeing the other: an address comes and wakes nobody.
    other = f"{(int(number) + 1) % 10**8:08d}"
    await world.publish(world.enrolled(other))
    until("another is known", lambda: _member(world, other))
    text = world.at_rest.open_at_rest(
        world.db["members"].find_one({"_id": other})["sealed"], context=f"members/{other}"
    )
    sealed = world.at_rest.seal_at_rest(text, context=f"members/{number}")
    world.db["members"].insert_one({"_id": number, "sealed": sealed})
    await the_only_letter(world, number)


def _letter_job(number: str) -> dict[str, str]:
    return {"member_number": number, "kind": "letter"}


def _waits(world: World, number: str, *, at_least_s: float = 0) -> bool:
    job = world.db["jobs"].find_one(_letter_job(number))
    return bool(job and not job["lease"] and job["due_at"] > datetime.now(UTC) + timedelta(seconds=at_least_s))


@pytest.mark.parametrize(
    "reason", [PasswordChanged, PasswordReset], ids=["the temporary one was replaced", "the password was reset"]
)
async def test_a_letter_is_deleted_when_the_member_has_set_a_password(
    world: World, service: Service, number: str, reason: type[EventData]
) -> None:
    await world.publish(world.enrolled(number), world.issued(number, PASSWORD))
    name = await the_only_letter(world, number)
    at = datetime.now(UTC)
    data = (
        PasswordChanged(member_number=number, at=at, replaces="temporary")
        if reason is PasswordChanged
        else PasswordReset(member_number=number, at=at)
    )
    await world.publish(Event.of(data))
    until("the object is gone", lambda: not world.has(name))
    until("so are the row and the jobs", lambda: not _rows(world, number))


async def test_a_change_of_an_own_password_leaves_the_letter_alone(world: World, service: Service, number: str) -> None:
    await world.publish(world.enrolled(number), world.issued(number, PASSWORD))
    name = await the_only_letter(world, number)
    await world.publish(Event.of(PasswordChanged(member_number=number, at=datetime.now(UTC), replaces="own")))
    other = f"{(int(number) + 1) % 10**8:08d}"
    await world.publish(world.enrolled(other), world.issued(other, PASSWORD))
    until("a later event is handled", lambda: world.letters(other))
    assert world.has(name)


async def test_a_letter_not_made_in_time_is_never_made_and_an_expired_one_is_deleted(
    world: World, service: Service, number: str
) -> None:
    soon = timedelta(seconds=4)
    await world.publish(world.issued(number, PASSWORD, lasts=soon))
    other = f"{(int(number) + 1) % 10**8:08d}"
    await world.publish(world.enrolled(other), world.issued(other, PASSWORD, lasts=soon))
    [name] = until("the letter of who has an address", lambda: world.letters(other))
    until("it is gone with its password", lambda: not world.has(name), within_s=15)
    until("the other one's row is gone", lambda: not world.db["letters"].count_documents({"member_number": number}))
    await world.publish(world.enrolled(number))
    until("its job is gone", lambda: not _rows(world, number))
    assert await announced(world, number) == []


async def test_a_posted_letter_is_deleted_seven_days_later_unless_its_password_expires_before(
    world: World, service: Service, number: str
) -> None:
    await world.publish(world.enrolled(number), world.issued(number, PASSWORD))
    name = await the_only_letter(world, number)
    posted = LetterPosted(member_number=number, letter_id=name.removesuffix(".pdf"), posted_on=date(2026, 11, 24))
    stranger = posted.model_copy(update={"member_number": f"{(int(number) + 1) % 10**8:08d}"})
    await world.publish(Event.of(stranger), Event.of(posted))

    def due() -> datetime | None:
        job = world.db["jobs"].find_one({"member_number": number, "kind": "letter_deletion"})
        at: datetime | None = job and job["due_at"]
        return at if at == datetime(2026, 12, 1, tzinfo=UTC) else None

    until("the deletion is set for 1 December", due)
    assert world.has(name)


async def test_while_the_object_store_is_away_letters_wait_and_nothing_else_stands(
    world: World, service: Service, number: str, back_on: RealServers
) -> None:
    back_on.process("minio").kill()
    await world.publish(world.enrolled(number), world.issued(number, PASSWORD))
    until("it says so", lambda: service.ready()[1].get("minio") == "unreachable")
    assert service.ready()[0] == 200
    until("it has tried", lambda: world.db["jobs"].count_documents({"member_number": number, "attempts": {"$gte": 1}}))
    back_on.process("minio").start()
    name = await the_only_letter(world, number, within_s=120.0)  # the pauses between tries grow
    assert f"Votre mot de passe provisoire : {PASSWORD}" in world.letter_lines(name)
    assert service.ready()[1]["minio"] == "ok"


@pytest.mark.slow
async def test_killed_again_and_again_no_letter_is_lost_or_doubled(world: World, service: Service) -> None:
    first = random.randrange(10**8 - 40)  # noqa: S311
    numbers = [f"{first + i:08d}" for i in range(40)]
    await world.publish(*(event for n in numbers for event in (world.enrolled(n), world.issued(n, f"PASS-{n}"))))
    for made in (5, 20):
        until(f"{made} letters", partial(_as_many_as, made, world, numbers))
        service.kill()
        # As if a minute had passed: the leases of the killed one have run out.
        world.db["jobs"].update_many({"lease": {"$ne": None}}, {"$set": {"due_at": datetime.now(UTC)}})
        service.start()
    until("a letter for each", lambda: all(world.letters(n) for n in numbers))
    for n in numbers[::8]:
        [name] = world.letters(n)
        assert f"Votre mot de passe provisoire : PASS-{n}" in world.letter_lines(name)
    until("the outbox is empty", lambda: world.db["outbox"].count_documents({}) == 0)
    published = await world.published_about(numbers)
    assert sorted(published) == numbers
    assert all(len(ids) == 1 for ids in published.values())


async def test_what_is_kept_names_nobody(world: World, service: Service, number: str) -> None:
    await world.publish(world.enrolled(number), world.issued(number, PASSWORD))
    await the_only_letter(world, number)
    kept = "".join(str(document) for name in world.db.list_collection_names() for document in world.db[name].find())
    logged = service.log.read_text()
    for secret in ("2840575117001", "Dupont", "DUPONT", "LILAS", "laure", PASSWORD):
        assert secret not in kept
        assert secret not in logged


def _as_many_as(made: int, world: World, numbers: list[str]) -> bool:
    return sum(bool(world.letters(n)) for n in numbers) >= made


def _rows(world: World, number: str) -> int:
    where = {"member_number": number}
    jobs = {**where, "kind": {"$in": [RENDER, DELETE]}}  # a mail may wait for an address meanwhile
    return int(world.db["letters"].count_documents(where) + world.db["jobs"].count_documents(jobs))
