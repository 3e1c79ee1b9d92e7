"""`portal dead-letters` on real services: what is refused again stays, what goes through leaves and has its effect."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from deploy.cli import envelope, examples
from deploy.cli.environment import kafka_access
from shared import clock
from shared.dead_letters import DeadLetters, row_key
from shared.events.record import Message, Record, to_message
from shared.mongo import Mongo
from shared.sealing import Keyring
from tests.deploy.command import run
from tests.shared.workbench import until
from tests.stack import RealServers, RunningPortal

pytestmark = pytest.mark.servers

TOPIC = "claims.v1"


@pytest.fixture(scope="module")
def operators(infra: RealServers) -> Iterator[Mapping[str, str]]:
    """Their environment, with auth and claims running."""
    services = RunningPortal(infra)
    try:
        for service in ("auth", "claims"):
            services.start(service)
        yield infra.operators()
    finally:
        for service in ("claims", "auth"):
            services.stop(service)


@pytest.fixture
def claims(infra: RealServers) -> Iterator[Database[dict[str, Any]]]:
    """The database of claims, to look into."""
    with pymongo.MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        yield client["claims"]


@pytest.fixture
async def letters(infra: RealServers) -> AsyncIterator[DeadLetters]:
    """Where claims keeps its dead letters, with its rights and its key."""
    environment = infra.environment("claims")
    mongo = Mongo(environment["MONGO_URL"], "claims")
    yield DeadLetters("claims", mongo, Keyring.from_setting(environment["AT_REST_KEYS"]))
    await mongo.stop()


@pytest.fixture
def member() -> str:
    """A member number that no other test uses."""
    return f"{uuid4().int % 10**8:08d}"


def paid(member: str) -> Message:
    """The record of a good `ClaimPaid`."""
    written = examples.written(envelope.contract_of("ClaimPaid"), member, today=clock.now().date())
    return to_message(envelope.read(written.encode(), now=clock.now()))


def lying(message: Message) -> Record:
    """As if Kafka had delivered it; far from any real offset."""
    return Record(message.topic, 0, uuid4().int % 10**9 + 10**9, message.key, message.value, message.headers)


def listed(operators: Mapping[str, str], *arguments: str) -> dict[str, str]:
    """The printed lines by key, in their order."""
    done = run(operators, "deploy.cli", "dead-letters", "list", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return {line.split(" key=")[1].split(" ")[0]: line for line in done.stdout.splitlines()}


def replay(operators: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    done = run(operators, "deploy.cli", "dead-letters", "replay", "claims", *arguments)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


async def refused_by_claims(operators: Mapping[str, str], claims: Database[dict[str, Any]], member: str) -> str:
    """Publish a claim with a broken sum and wait until it is a dead letter; its key."""
    good = paid(member)
    wrong_sum = json.dumps(json.loads(good.value or b"") | {"amount_cents": 1}).encode()
    producer = kafka_access(operators).producer("test")
    await producer.start()
    try:
        place = await producer.send_and_wait(good.topic, wrong_sum, key=good.key, headers=list(good.headers))
    finally:
        await producer.stop()
    key = f"{place.topic}-{place.partition}-{place.offset}"

    async def dead() -> bool:
        return claims["dead_letters"].find_one({"_id": key}) is not None

    await until(dead, "a dead letter")
    return key


async def test_a_record_that_is_refused_again_stays_with_one_more_attempt(
    operators: Mapping[str, str], claims: Database[dict[str, Any]], member: str
) -> None:
    key = await refused_by_claims(operators, claims, member)
    line = listed(operators, "--service", "claims")[key]
    assert line.startswith(f"service=claims key={key} attempts=1 at=")
    assert " replay=no reason=data_invalid: amount_cents" in line
    assert member not in line

    assert replay(operators, key) == (0, "service=claims asked=1", "")

    async def tried_again() -> bool:
        return listed(operators, "--topic", TOPIC)[key].startswith(f"service=claims key={key} attempts=2 ")

    await until(tried_again, "the second attempt")
    assert " replay=no reason=data_invalid: amount_cents" in listed(operators)[key]


async def test_a_record_that_goes_through_leaves_the_list_and_has_its_effect(
    operators: Mapping[str, str], claims: Database[dict[str, Any]], letters: DeadLetters, member: str
) -> None:
    good, other = lying(paid(member)), lying(paid(member))
    await letters.keep(good, "unexpected:KeyError", 3)
    await letters.keep(other, "unexpected:ValueError", 3)
    assert claims["claims"].count_documents({"member_number": member}) == 0

    nothing = (0, "service=claims asked=0", "")
    assert replay(operators, "--all", "--reason", "unexpected:K.y") == nothing
    assert replay(operators, "--all", "--topic", "membership.v1", "--reason", "unexpected:Key") == nothing
    assert replay(operators, "--all", "--topic", TOPIC, "--reason", "unexpected:Key") == (
        0,
        "service=claims asked=1",
        "",
    )

    async def gone() -> bool:
        return claims["dead_letters"].find_one({"_id": row_key(good)}) is None

    await until(gone, "the letter to leave")
    claim_id = json.loads(good.value or b"")["claim_id"]
    assert [claim["claim_id"] for claim in claims["claims"].find({"member_number": member})] == [claim_id]
    left = listed(operators, "--service", "claims")
    assert row_key(good) not in left
    assert " attempts=3 " in left[row_key(other)]
    assert left[row_key(other)].endswith(" replay=no reason=unexpected:ValueError")


async def test_of_several_keys_one_unknown_asks_for_none(
    operators: Mapping[str, str], claims: Database[dict[str, Any]], member: str
) -> None:
    key = await refused_by_claims(operators, claims, member)

    assert replay(operators, key, "claims.v1-9-9") == (
        2,
        "",
        "portal: claims.v1-9-9: no such dead letter; nothing was asked",
    )
    letter = claims["dead_letters"].find_one({"_id": key})
    assert letter is not None
    assert letter["attempts"] == 1
    assert "replay_requested_at" not in letter


async def test_the_oldest_come_first_and_a_list_cut_short_says_so(
    operators: Mapping[str, str], letters: DeadLetters, claims: Database[dict[str, Any]], member: str
) -> None:
    first, last = lying(paid(member)), lying(paid(member))
    auths: Collection[dict[str, Any]] = claims.client["auth"]["dead_letters"]
    for record, year in ((first, 2001), (last, 2003)):
        await letters.keep(record, "unexpected:KeyError", 1)
        claims["dead_letters"].update_one({"_id": row_key(record)}, {"$set": {"at": datetime(year, 1, 1, tzinfo=UTC)}})
    row = claims["dead_letters"].find_one({"_id": row_key(first)}) or {}
    auths.insert_one({**row, "_id": f"membership.v1-0-{member}", "at": datetime(2002, 1, 1, tzinfo=UTC)})
    try:
        lines = listed(operators)
        cut = run(operators, "deploy.cli", "dead-letters", "list", "--limit", "2")
    finally:
        auths.delete_one({"_id": f"membership.v1-0-{member}"})
    assert list(lines)[:3] == [row_key(first), f"membership.v1-0-{member}", row_key(last)]
    assert cut.stdout.splitlines() == list(lines.values())[:2]
    assert cut.stderr == "portal: only the oldest 2; a higher --limit shows more\n"


def test_a_wrong_password_is_status_1(operators: Mapping[str, str]) -> None:
    wrong = operators["MONGO_URL"].replace("@", "x@")
    done = run({**operators, "MONGO_URL": wrong}, "deploy.cli", "dead-letters", "list")

    assert done.returncode == 1
    assert done.stderr == "portal: MongoDB refused: AuthenticationFailed\n"
