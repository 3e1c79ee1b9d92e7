"""A feed on a real Kafka: whole and in order, nothing of a wrong one, what was interrupted goes on."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy.command import run
from tests.deploy.feeds.test_check import PAID, RECEIVED, REVERSED, ndjson
from tests.kafka import Tail, of_service
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
