"""`portal` as an operator meets it: a process with its output and exit status."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import envelope, examples
from deploy.cli.main import app
from shared import clock
from shared.events import CATALOGUE
from tests.shared.events.examples import golden

pytestmark = pytest.mark.processes

PUBLISHABLE = sorted(name for topic in envelope.TOPICS for name in CATALOGUE[topic])


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Nobody listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody listens there and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def portal(
    *arguments: str,
    stdin: str | bytes = "",
    kafka: int | None = None,
    mongo: str = "",
    home: Path = Path("/nonexistent"),
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PORTAL_TIMEOUT_SECONDS": "0.5", "MONGO_URL": mongo}
    if kafka is not None:
        environment |= {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}", "KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p"}
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        input=data,
        capture_output=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=30,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def written(name: str = "ClaimPaid", **attributes: object) -> str:
    return json.dumps({"type": name, "data": golden(name)["data"], **attributes})


def lines_of(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(envelope.InvalidEvent) as caught:
        envelope.read(text if isinstance(text, bytes) else text.encode(), now=clock.now())
    return caught.value.lines


def test_an_invalid_event_is_status_2_with_a_line_for_each_field_and_no_stack_trace() -> None:
    broken = json.loads(written(time="yesterday"))
    del broken["time"]
    broken["data"]["lines"][0] |= {"care_date": "12/11/2026", "spent_cents": "20,00"}

    done = portal("publish", "-", stdin=json.dumps(broken))

    assert done.returncode == 2
    assert done.stdout == ""
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        ["portal", "data.lines.0.care_date"],
        ["portal", "data.lines.0.spent_cents"],
    ]


def test_a_file_that_is_not_there_is_status_2() -> None:
    done = portal("publish", "no-such-file.json")

    assert done.returncode == 2
    assert "no-such-file.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_settings_it_says_which_and_where_it_looked(tmp_path: Path) -> None:
    done = portal("publish", "-", stdin=written(), home=tmp_path)

    assert done.returncode == 78
    assert "KAFKA_BOOTSTRAP_SERVERS, KAFKA_USERNAME, KAFKA_PASSWORD" in done.stderr
    assert "espace-assure/portal.env" in done.stderr


def test_the_settings_of_the_native_stack_are_found(tmp_path: Path, closed_port: int) -> None:
    folder = tmp_path / ".local" / "state" / "espace-assure"
    folder.mkdir(parents=True)
    (folder / "portal.env").write_text(
        f"KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{closed_port}\nKAFKA_USERNAME=portal\nKAFKA_PASSWORD=secret\n"
    )

    done = portal("publish", "-", stdin=written(), home=tmp_path)

    assert done.returncode == 1
    assert "secret" not in done.stderr


@pytest.mark.parametrize("port", ["closed_port", "silent_port"])
def test_no_kafka_is_status_1_within_a_bounded_time(port: str, request: pytest.FixtureRequest) -> None:
    began = time.monotonic()
    done = portal("publish", "-", stdin=written(), kafka=request.getfixturevalue(port))

    assert done.returncode == 1
    assert done.stderr.startswith("portal: not published: ")
    assert len(done.stderr.splitlines()) == 1
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--service", "gateway"],
        ["list", "--topic", "claim.v1"],
        ["list", "--limit", "0"],
        ["replay"],
        ["replay", "claims"],
        ["replay", "gateway", "--all"],
        ["replay", "claims", "claims.v1-0-1", "--all"],
        ["replay", "claims", "claims.v1-0-1", "--topic", "claims.v1"],
        ["replay", "claims", "claims.v1-0-1", "--reason", "unexpected"],
    ],
)
def test_dead_letters_that_are_not_clearly_named_are_status_2(arguments: list[str]) -> None:
    # With settings missing, so that an argument let through would be status 78.
    done = CliRunner(env={"MONGO_URL": "", "ESPACE_ASSURE_HOME": "/nonexistent"}).invoke(
        app, ["dead-letters", *arguments]
    )

    assert done.exit_code == 2
    assert done.stderr


@pytest.mark.parametrize(
    ("url", "line"),
    [("", "portal: MONGO_URL: set in neither"), ("mongodb://portal:secret@host:port/", "portal: MONGO_URL: not a ")],
)
def test_dead_letters_without_settings_are_status_78(url: str, line: str) -> None:
    done = CliRunner(env={"MONGO_URL": url, "ESPACE_ASSURE_HOME": "/nonexistent"}).invoke(app, ["dead-letters", "list"])

    assert done.exit_code == 78
    assert done.stderr.startswith(line)
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("port", "arguments"), [("closed_port", ["replay", "claims", "--all"]), ("silent_port", ["list"])]
)
def test_no_mongodb_is_status_1_within_a_bounded_time(
    port: str, arguments: list[str], request: pytest.FixtureRequest
) -> None:
    url = f"mongodb://portal:secret@127.0.0.1:{request.getfixturevalue(port)}/?replicaSet=rs0&authSource=admin"
    began = time.monotonic()
    done = portal("dead-letters", *arguments, mongo=url)

    assert done.returncode == 1
    assert done.stderr.startswith("portal: no answer from MongoDB within 0.5 s: ")
    assert len(done.stderr.splitlines()) == 1
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", PUBLISHABLE)
def test_an_example_of_every_type_can_be_published(name: str) -> None:
    text = examples.written(envelope.contract_of(name), "87654321", today=clock.now().date())
    event = envelope.read(text.encode(), now=clock.now())

    assert (event.type, event.data.member_number) == (name, "87654321")


def test_an_example_is_printed_for_a_member() -> None:
    done = portal("example", "ClaimPaid", "--member", "87654321")

    assert done.returncode == 0
    assert json.loads(done.stdout)["data"]["member_number"] == "87654321"


@pytest.mark.parametrize("arguments", [["ClaimPaid", "--member", "1"], ["PasswordReset"]])
def test_no_example_of_what_could_not_be_published(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["example", *arguments])

    assert done.exit_code == 2
    assert done.stderr.startswith("portal: ")


def test_topic_source_id_and_time_are_deduced() -> None:
    now = clock.now()
    event = envelope.read(written("LetterPosted").encode(), now=now)

    assert (event.data.topic, event.source, event.time, event.subject) == ("casework.v1", "/casework", now, None)
    assert len(event.id) == 36


def test_what_is_given_is_kept() -> None:
    time_given = "2026-11-20T10:00:00+01:00"
    event = envelope.read(
        written(id="e-1", subject="R-1", time=time_given, source="/claims-payment").encode(), now=clock.now()
    )

    assert (event.id, event.subject, clock.rfc3339(event.time)) == ("e-1", "R-1", "2026-11-20T09:00:00.000Z")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "not JSON: Expecting value, line 1 column 1"),
        ('{\n"type": }', "not JSON: Expecting value, line 2 column 9"),
        (b'{"type":"\xe9"}', "not JSON: not UTF-8"),
        ("[" * 100_000, "not JSON: a number too long or nested too deep"),
        ("[]", "should be a JSON object"),
        ('{"type":"ClaimPaid","type":"ClaimPaid"}', "a name occurs twice in the same object"),
        ('{"type":"ClaimPaid","data":{"a":NaN}}', "not JSON: NaN"),
        ('{"type":"ClaimPaid"}', 'should be {"type": "…", "data": {…}}, see: portal example ClaimPaid'),
        (written(id=7), "id: should be text"),
        (written(id=""), "id: Malformed"),
        (written(time="20 November"), "time: Malformed"),
        (written(time="2999-01-01T00:00:00Z"), "time: more than 24 hours ahead"),
        (written(source="/membership"), "source: Not the value expected here"),
        (written(subjet="R-1"), "subjet: unknown attribute; known are "),
        (written(data=golden("ClaimPaid")["data"] | {"amount_cents": 1}), "data.amount_cents: "),
        (json.dumps({"type": "LetterPosted", "data": {"letter_id": "\ud800"}}), "data: holds text that is not Unicode"),
        (written(id="\ud800"), "id: Should be UTF-8"),
    ],
)
def test_each_mistake_has_its_line(text: str | bytes, line: str) -> None:
    assert [found.startswith(line) for found in lines_of(text)] == [True]


@pytest.mark.parametrize("name", ["PasswordReset", "DocumentSubmitted", "StatementReady", "Unheard"])
def test_the_services_own_events_are_not_for_this_command(name: str) -> None:
    text = json.dumps({"type": name, "data": {"member_number": "12345678"}})

    assert lines_of(text)[0].startswith("type: should be one of MemberEnrolled, ")
