"""« Je ne suis pas un robot » before a lost-password request: what is taken, how often, and that it tells nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from tests.services.auth.driver import Answer, AuthApi, Backbone, some_network
from tests.services.auth.resetting import link_token, rows_written, solved, with_address, with_key, without_ids
from tests.stack import RealServers

pytestmark = pytest.mark.servers

SOMEBODY = {"identifier": "12345678", "nir": "2 84 05 75 117 001 28"}


async def _ask(api: AuthApi, altcha: str | None, client: str = "203.0.113.7", **more: str) -> Answer:
    body = {**SOMEBODY, **more, **({} if altcha is None else {"altcha": altcha})}
    return await api.call("POST", "/password-resets", body, client=client)


@contextmanager
def _database(infra: RealServers) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        yield client["auth"]


async def test_a_challenge_can_be_had_by_anybody_and_is_never_the_same(api: AuthApi) -> None:
    first, second = [await api.call("GET", "/challenges") for _ in range(2)]
    assert (first.status, set(first.body)) == (200, {"parameters", "signature"})
    assert first.headers["cache-control"] == "no-store"
    assert first.body["signature"] != second.body["signature"]


async def test_an_answer_serves_once(api: AuthApi, infra: RealServers) -> None:
    altcha = await solved(api)
    answers = await asyncio.gather(*(_ask(api, altcha, client=some_network()) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [202, *[422] * 5]
    late = await _ask(api, altcha)
    assert (late.status, late.body["code"]) == (422, "challenge_failed")
    assert late.headers["content-type"] == "application/problem+json"
    with _database(infra) as database:
        row = database["used_challenges"].find_one(sort=[("delete_at", -1)])
        assert set(row) == {"_id", "delete_at"}
        for name in ("used_challenges", "resets_without_challenge"):
            indexes = database[name].index_information().values()
            assert 0 in [index.get("expireAfterSeconds") for index in indexes], name


async def test_a_wrong_answer_is_refused_alike_for_everybody_and_nothing_is_written(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await with_address(api, backbone)
    known = {"identifier": member.email, "nir": with_key(member.nir)}
    with rows_written(infra, "jobs") as rows:
        refused = [await _ask(api, altcha, **who) for altcha in ("", "later", "e30=") for who in (known, {})]
        good = await _ask(api, await solved(api), **known)  # it wrote the first row there is
        written = await asyncio.to_thread(next, rows)
    assert len({without_ids(answer) for answer in refused}) == 1
    assert (refused[0].status, refused[0].body["code"], good.status) == (422, "challenge_failed", 202)
    assert len(str(written["data"]["nir_key"])) == 64
    await link_token(backbone, member)


async def test_without_an_answer_a_network_has_one_request_an_hour(api: AuthApi, backbone: Backbone) -> None:
    member = await with_address(api, backbone)
    known = {"identifier": member.email, "nir": with_key(member.nir)}
    start = some_network()[:-2]
    first = await asyncio.gather(*(_ask(api, None, f"{start}.{host}", **known) for host in range(1, 9)))
    assert sorted(answer.status for answer in first) == [202, *[422] * 7]
    await link_token(backbone, member)

    refused = [await _ask(api, None, f"{start}.200", **who) for who in (known, {})]
    assert {without_ids(answer) for answer in refused} == {
        without_ids(answer) for answer in first if answer.status == 422
    }
    assert refused[0].body["code"] == "challenge_failed"
    assert (await _ask(api, await solved(api), f"{start}.200")).status == 202  # with an answer always
    assert (await _ask(api, None, some_network())).status == 202


async def test_the_hour_of_an_address_of_version_six_is_that_of_its_64_bits(api: AuthApi) -> None:
    network = f"2001:db8:{datetime.now(UTC).microsecond % 65536:x}:{datetime.now(UTC).second:x}"
    statuses = [(await _ask(api, None, f"{network}::{host}")).status for host in (1, "ffff:1", 2)]
    assert statuses == [202, 422, 422]


async def test_after_an_hour_a_network_has_its_request_again(api: AuthApi, infra: RealServers) -> None:
    client = some_network()
    with _database(infra) as database:
        database["resets_without_challenge"].delete_many({})
        assert [(await _ask(api, None, client)).status for _ in range(2)] == [202, 422]
        [row] = database["resets_without_challenge"].find()
        assert client[:-2] not in json.dumps(row, default=str)
        for older, status in ((timedelta(minutes=59), 422), (timedelta(minutes=1), 202)):
            milliseconds = int(older.total_seconds() * 1000)
            earlier = {"$map": {"input": "$times", "as": "time", "in": {"$subtract": ["$$time", milliseconds]}}}
            database["resets_without_challenge"].update_one({}, [{"$set": {"times": earlier}}])
            assert (await _ask(api, None, client)).status == status


async def test_a_request_that_could_not_be_written_down_uses_nothing_up(api: AuthApi, infra: RealServers) -> None:
    altcha, client = await solved(api), some_network()
    with _database(infra) as database:
        database.command("collMod", "jobs", validator={"kind": {"$ne": "password_reset"}})
        try:
            failed = [(await _ask(api, sent, client)).status for sent in (altcha, None)]
        finally:
            database.command("collMod", "jobs", validator={})
    assert failed == [500, 500]
    assert [(await _ask(api, sent, client)).status for sent in (altcha, None)] == [202, 202]
