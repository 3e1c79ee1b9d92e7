"""The way to the mail server: what passes, what never will, and how many connections it takes."""

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from deploy.local.ports import free_port
from deploy.local.servers.program import http_ok
from services.notifications.mailer import Mailer, MailRefused, MailUnsent
from services.notifications.mails import Mail, MailRoom
from tests.processes import until
from tests.services.notifications.settings import some_settings
from tests.stack import RealServers

pytestmark = pytest.mark.servers


class Moody:
    """A Mailpit of its own that answers what it is told to."""

    def __init__(self, program: str) -> None:
        self.smtp, self.http = free_port(), free_port()
        listeners = ["--smtp", f"127.0.0.1:{self.smtp}", "--listen", f"127.0.0.1:{self.http}"]
        self.process = subprocess.Popen(
            [program, *listeners, "--enable-chaos", "--disable-version-check"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("Mailpit is up", lambda: http_ok(self.http, "/readyz"))

    def answer(self, **triggers: int) -> None:
        """From now on each of these steps (Sender, Recipient, Authentication) is answered with this code."""
        body = {name: {"ErrorCode": code, "Probability": 100} for name, code in triggers.items()}
        self._call("PUT", "/api/v1/chaos", json.dumps(body).encode())

    def received(self) -> int:
        return int(json.loads(self._call("GET", "/api/v1/info"))["Messages"])

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http}{path}", body, {"content-type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            data: bytes = answer.read()
            return data


@pytest.fixture
def server(infra: RealServers) -> Iterator[Moody]:
    moody = Moody(infra.process("mailpit").program.command[0])
    yield moody
    moody.process.kill()
    moody.process.wait(10)


def mailer(server: Moody, **changes: object) -> Mailer:
    return Mailer(some_settings(smtp_port=server.smtp, **changes))


def message() -> EmailMessage:
    mail = Mail("address_in_use", "event", "laure@example.org", "fr")
    return MailRoom(some_settings()).write(mail, now=datetime.now(UTC))


async def test_a_refused_recipient_is_refused_for_good_and_the_connection_lives_on(server: Moody) -> None:
    sender = mailer(server, smtp_connections=1)
    server.answer(Recipient=550)
    with pytest.raises(MailRefused) as refusal:
        await sender.send(message())
    assert refusal.value.code == 550
    server.answer()
    await sender.send(message())
    assert server.received() == 1
    await sender.stop()


@pytest.mark.parametrize("trouble", [{"Recipient": 451}, {"Sender": 451}, {"Sender": 550}])
async def test_what_is_no_fault_of_the_address_may_go_later(server: Moody, trouble: dict[str, int]) -> None:
    sender = mailer(server)
    server.answer(**trouble)
    with pytest.raises(MailUnsent):
        await sender.send(message())
    server.answer()
    await sender.send(message())
    assert server.received() == 1
    await sender.stop()


async def test_a_crowd_of_mails_takes_only_the_allowed_connections(server: Moody) -> None:
    sender = mailer(server, smtp_connections=3)
    await asyncio.gather(*(sender.send(message()) for _ in range(30)))
    assert server.received() == 30
    assert len(sender._idle) <= 3
    await sender.stop()


async def test_a_connection_that_the_server_dropped_is_replaced(server: Moody) -> None:
    sender = mailer(server, smtp_connections=1)
    await sender.send(message())
    [(connection, _)] = sender._idle
    connection.close()
    await sender.send(message())
    assert server.received() == 2
    await sender.stop()


async def test_a_server_that_is_not_there_is_unreachable_and_sends_nothing() -> None:
    sender = Mailer(some_settings(smtp_port=1))
    assert await sender.state() == "unreachable"
    with pytest.raises(MailUnsent):
        await sender.send(message())


async def test_a_server_that_never_answers_costs_only_the_time_limit() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    sender = Mailer(some_settings(smtp_port=port, smtp_timeout_seconds=0.3))
    try:
        with pytest.raises(MailUnsent):
            await asyncio.wait_for(sender.send(message()), 3)
    finally:
        listener.close()
