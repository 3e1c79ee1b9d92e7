"""Events in, on real servers: each event has its effect once, and what cannot be taken stops nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import pytest

from shared.dead_letters import DeadLetters, Desk, row_key
from shared.events.base import Event
from shared.events.record import Record
from shared.mongo import Mongo
from shared.sealing import Keyring
from tests.shared.echo import Spoken
from tests.shared.workbench import Echo, Wire, until, wire

pytestmark = pytest.mark.servers


def spoken(number: int, word: str = "say", member: str = "12345678", **envelope: Any) -> Event[Spoken]:
    return Event.of(Spoken(member_number=member, number=number, word=word), **envelope)


def with_header(name: str, value: bytes | None) -> Callable[[Wire], Wire]:
    return lambda w: (w[0], w[1], [(n, value if n == name else v) for n, v in w[2]])


def with_value(value: bytes | None) -> Callable[[Wire], Wire]:
    return lambda w: (w[0], value, w[2])


def with_word(word: str) -> Callable[[Wire], Wire]:
    return lambda w: (w[0], (w[1] or b"").replace(b'"say"', f'"{word}"'.encode()), w[2])


FAR = (datetime.now(UTC) + timedelta(hours=48)).isoformat().encode()

BAD: dict[str, tuple[Callable[[Wire], Wire], str]] = {
    "malformed JSON": (with_value(b'{"member_number": "123'), "json_invalid"),
    "no value": (with_value(None), "value_absent"),
    "null header": (with_header("ce_id", None), "header_invalid"),
    "non-UTF-8 header": (with_header("ce_id", b"\xff\xfe"), "header_invalid"),
    "missing header": (lambda w: (w[0], w[1], [h for h in w[2] if h[0] != "ce_time"]), "header_invalid"),
    "unknown type": (with_header("ce_type", b"Whispered"), "unknown_type"),
    "wrong type of a field": (with_value(b'{"member_number": "12345678", "number": "1"}'), "data_invalid"),
    "member number of 1 digit": (with_value(b'{"member_number": "1", "number": 1}'), "data_invalid"),
    "key of another member": (lambda w: (b"87654321", w[1], w[2]), "key_mismatch"),
    "no key": (lambda w: (None, w[1], w[2]), "key_mismatch"),
    "far future": (with_header("ce_time", FAR), "time_in_future"),
    "refused by a rule": (with_word("refuse"), "said_refuse"),
    "an unforeseen error": (with_word("break"), "unexpected"),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_record_becomes_a_dead_letter_and_the_partition_moves_on(running_echo: Echo, what: str) -> None:
    echo = running_echo
    spoil, reason = BAD[what]
    member = f"{list(BAD).index(what):08d}"
    before, bad, after = spoken(1, member=member), spoil(wire(spoken(2, member=member))), spoken(3, member=member)
    _, place, _ = await echo.publish_raw([wire(before), bad, wire(after)])

    letter = await echo.letter(place)
    assert letter["reason"].split(":")[0] == reason
    await until(lambda: _numbers(echo, member, [1, 3]), "the effects of the records around it")
    counter = f'espace_dead_letters_total{{reason="{reason}",topic="{echo.topic_in}"}}'
    await until(lambda: _shown(echo, counter), "the counter to rise")


async def test_every_dead_letter_is_announced_with_its_headers_and_key_and_no_value(echo: Echo) -> None:
    bad = wire(spoken(2, "refuse"))
    keyless = BAD["no key"][0](wire(spoken(4)))
    echo.start()
    places = await echo.publish_raw([bad, keyless])
    for place in places:
        await echo.letter(place)
    await echo.drained()
    announced = {(a.key, not a.value): dict(a.headers) for a in await echo.read(f"{echo.topic_in}.dead")}
    assert announced.keys() == {(bad[0], True), (None, True)}
    headers = announced[bad[0], True]
    assert headers.items() >= dict(bad[2]).items()
    assert headers["dl_topic"] == echo.topic_in.encode()
    assert headers["dl_consumer"] == b"echo"
    assert headers["dl_reason"] == b"said_refuse"
    assert f"{echo.topic_in}-{headers['dl_partition'].decode()}-{headers['dl_offset'].decode()}" == places[0]


async def test_a_dead_letter_is_kept_encrypted_and_can_be_replayed(running_echo: Echo) -> None:
    (place,) = await running_echo.publish_raw([wire(spoken(7, "refuse", member="77777777"))])
    letter = await running_echo.letter(place)
    assert "77777777" not in str(letter)
    assert letter["attempts"] == 1
    letters = running_echo.db["dead_letters"]
    # Asked again, the same handler refuses again and the letter stays, with one more attempt.
    letters.update_one({"_id": place}, {"$set": {"replay_requested_at": datetime.now(UTC)}})

    async def tried_again() -> bool:
        found = letters.find_one({"_id": place})
        return bool(found and found["attempts"] == 2 and "replay_requested_at" not in found)

    await until(tried_again, "the second attempt")


async def test_a_redelivered_event_has_its_effect_once(echo: Echo) -> None:
    event = spoken(1, id="the-same")
    await echo.publish([event, event, spoken(2)])
    echo.start()
    await echo.kept(2)
    await echo.publish([event, spoken(3)])
    effects = await echo.kept(3)
    assert [effect["number"] for effect in effects] == [1, 2, 3]
    await echo.drained()
    assert len(await echo.read(echo.topic_out)) == 3


async def test_what_the_database_refuses_is_halved_down_to_the_one_record(echo: Echo) -> None:
    events = [spoken(n, member=f"{n:08d}") for n in range(40)]
    clash = [spoken(100, "clash"), spoken(101, "clash")]
    await echo.publish([*events[:20], clash[0], *events[20:], clash[1]])
    echo.start()
    effects = await echo.kept(41)
    assert len(effects) == 41
    letter = await until(lambda: _one(echo), "the dead letter")
    assert letter["reason"].startswith("store_refused")


async def test_a_release_that_fails_on_everything_stops_before_it_empties_the_topic(echo: Echo) -> None:
    await echo.publish([spoken(n, "break", member=f"{n:08d}") for n in range(60)])
    echo.start()

    async def stopped() -> bool:
        return b"too many unexpected errors" in echo.log.read_bytes() or "consumer_stopped{" in _metrics(echo)

    await until(stopped, "the consumer to stop", 60)
    assert echo.db["dead_letters"].count_documents({}) <= 20
    assert echo.db["effects"].count_documents({}) == 0


async def test_nothing_is_passed_over_where_a_dead_letter_cannot_be_kept(echo: Echo) -> None:
    """Whatever it is that nobody foresaw: the topic stops in front of it, and goes on there once that is mended."""
    echo.start()
    await until(lambda: _has(echo, "dead_letters"), "the collections")
    echo.db.command("collMod", "dead_letters", validator={"never": {"$exists": True}})
    member = "12345678"
    await echo.publish_raw([wire(spoken(1, "refuse")), *(wire(spoken(n)) for n in range(2, 60))])
    await until(lambda: _shown(echo, f'espace_consumer_stopped{{topic="{echo.topic_in}"}} 1.0'), "the topic to stop")
    await echo.publish_raw([wire(spoken(60))])
    await asyncio.sleep(1)
    assert "stopped: " in _health(echo)
    assert echo.stop() == 0
    taken_before = len(echo.effects())

    echo.db.command("collMod", "dead_letters", validator={})
    echo.start()
    await until(lambda: _numbers(echo, member, list(range(2, 61))), "what came after it")
    assert taken_before < 59
    await until(lambda: _one(echo), "the dead letter")


async def _has(echo: Echo, collection: str) -> bool:
    return collection in echo.db.list_collection_names()


async def _shown(echo: Echo, counter: str) -> bool:
    return counter in _metrics(echo)


async def _numbers(echo: Echo, member: str, expected: list[int]) -> bool:
    found = echo.db["effects"].find({"member_number": member}).sort("_id", 1)
    return [row["number"] for row in found] == expected


async def _one(echo: Echo) -> dict[str, Any] | None:
    return echo.db["dead_letters"].find_one()


def _metrics(echo: Echo) -> str:
    return _read(echo, "metrics")


def _health(echo: Echo) -> str:
    return _read(echo, "readyz")


def _read(echo: Echo, path: str) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{echo.port}/{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


async def test_a_letter_that_cannot_be_replayed_stands_in_nobodys_way(running_echo: Echo) -> None:
    """Its key was rotated away, or its topic is no longer read: that becomes its reason, the next one goes through."""
    echo, member = running_echo, "66666666"
    mongo = Mongo(echo.infra.mongo_admin_url, echo.name)
    lost_key = Keyring.from_setting(f"echo/9:{'B' * 43}")
    sealed, unread, good = (_stored(echo.topic_in, 1), _stored("gone.v1", 2), _stored(echo.topic_in, 3))
    for record, keys in ((sealed, lost_key), (unread, echo.at_rest()), (good, echo.at_rest())):
        await DeadLetters("echo", mongo, keys).keep(record, "said_refuse", 1)
    await Desk("echo", mongo).request([row_key(record) for record in (sealed, unread, good)])

    await until(lambda: _numbers(echo, member, [3]), "the effect of the good one")

    async def settled() -> bool:
        return echo.db["dead_letters"].count_documents({"replay_requested_at": {"$exists": True}}) == 0

    await until(settled, "every replay to end")
    await mongo.stop()
    reasons = {row["_id"]: row["reason"] for row in echo.db["dead_letters"].find()}
    assert reasons[row_key(sealed)].startswith("not_opened")
    assert reasons[row_key(unread)] == "topic_not_read"
    assert row_key(good) not in reasons


def _stored(topic: str, number: int) -> Record:
    key, value, headers = wire(spoken(number, member="66666666"))
    return Record(topic, 0, 10**9 + number, key, value, tuple(headers))
