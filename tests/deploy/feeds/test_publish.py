"""A feed on a real Kafka: whole and in order, nothing of a wrong one, what was interrupted goes on."""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.command import all_of, run, started
from tests.deploy.feeds.test_check import PAID, RECEIVED, REVERSED, ndjson
from tests.kafka import Tail, of_service
from tests.processes import until
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_a_feed_is_published_once_and_one_that_is_wrong_not_at_all(infra: RealServers, tmp_path: Path) -> None:
    operators = infra.operators()
    feed, noted = tmp_path / "claims.ndjson", tmp_path / "claims.ndjson.published"
    async with Tail(of_service(operators)) as tail:
        feed.write_bytes(ndjson(PAID, RECEIVED, {}))
        wrong = _publish(operators, feed)
        assert wrong.returncode == 2
        assert "portal: line 4: should be" in wrong.stderr
        assert not noted.exists()

        feed.write_bytes(ndjson(PAID, RECEIVED, REVERSED))
        first = _publish(operators, feed)
        assert (first.returncode, first.stderr) == (0, "")
        assert first.stdout == "feed=claims-2026-11-25 events=3 amount_cents=1000 published\n"
        assert _publish(operators, feed).stdout.endswith(" published before\n")
        whole = await tail.events()
        assert [event.type for event in whole] == ["ClaimPaid", "ClaimReceived", "ClaimReversed"]

        noted.write_text(json.dumps(json.loads(noted.read_text()) | {"events": 1}))  # as if it had been cut off there
        assert _publish(operators, feed).returncode == 0
        assert [event.id for event in await tail.events()] == [event.id for event in whole[1:]]


MANY = 20_100


async def test_a_publication_that_was_killed_goes_on_where_kafka_had_everything_and_shows_how_far_it_is(
    infra: RealServers, tmp_path: Path
) -> None:
    operators = infra.operators()
    feed, noted = tmp_path / "night.ndjson", tmp_path / "night.ndjson.published"
    data: Any = RECEIVED["data"]
    many = [{**RECEIVED, "data": {**data, "claim_id": f"K-{n}"}} for n in range(MANY)]
    feed.write_bytes(ndjson(*many, feed="night", events=MANY, amount_cents=0))
    async with Tail(of_service(operators)) as tail:
        with started(operators, "deploy.cli", "feed", "publish", str(feed)) as (process, _):
            until("the first note", lambda: _noted(noted) or None)
            process.kill()
            process.wait(10)
        before, first = _noted(noted), await tail.events()
        assert 0 < before < MANY
        assert before <= len(first)

        with started(operators, "deploy.cli", "feed", "publish", str(feed)) as (process, screen):
            shown = await asyncio.to_thread(all_of, screen)
            assert process.wait(10) == 0
        second = await tail.events()
    assert _noted(noted) == MANY
    assert len(second) == MANY - before  # it did not begin anew
    assert {event.id for event in (*first, *second)} == {f"night/{line:09d}" for line in range(2, MANY + 2)}
    assert "Checking" in shown
    assert "Publishing" in shown
    assert "100%" in shown.rpartition("Publishing")[2]


def _noted(path: Path) -> int:
    """How many events Kafka has, by the note beside the file."""
    return int(json.loads(path.read_text())["events"]) if path.exists() else 0


def test_without_kafka_nothing_is_noted_as_published(tmp_path: Path) -> None:
    feed = tmp_path / "claims.ndjson"
    feed.write_bytes(ndjson(PAID, RECEIVED, REVERSED))
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p"}
    refused = _publish(nowhere | {"PORTAL_TIMEOUT_SECONDS": "1"}, feed)
    assert refused.returncode == 1
    assert "it goes on from there" in refused.stderr
    assert json.loads((tmp_path / "claims.ndjson.published").read_text())["events"] == 0


def _publish(operators: Mapping[str, str], feed: Path) -> subprocess.CompletedProcess[str]:
    return run(operators, "deploy.cli", "feed", "publish", str(feed))
