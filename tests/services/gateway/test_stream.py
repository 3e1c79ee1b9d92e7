"""The joined stream on the wire: ids, catching up after a break, bursts, ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.services.gateway.running import Gateway, Origin, Seen, begin_chunks, chunk, say

pytestmark = pytest.mark.servers

Script = Callable[[int, asyncio.StreamWriter], Awaitable[None]]

AFTER = "c1000.d2000.n3000"
END = b"\r\n0\r\n\r\n"
"""Of a chunked body (RFC 9112, 7.1)."""


def token(lives_s: int = 60) -> str:
    """An access token by its form: the services verify, the gateway only reads when it ends."""
    payload = base64.urlsafe_b64encode(json.dumps({"exp": int(time.time()) + lives_s}).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


def ask(after: str = AFTER, *, lives_s: int = 60, last_id: str = "") -> str:
    last = f"\nLast-Event-ID: {last_id}" if last_id else ""
    return f"GET /api/v1/stream?after={after} HTTP/1.1\nHost: portal\nAuthorization: Bearer {token(lives_s)}{last}"


def event(at_ms: int, name: str, record_id: str) -> bytes:
    return f"id: {at_ms}\nevent: {name}\ndata: {json.dumps({'id': record_id})}\n\n".encode()


async def no_stream(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    await say(writer, "404 Not Found", b"{}", "Content-Type: application/problem+json")


async def says_nothing(_nth: int, _writer: asyncio.StreamWriter) -> None:
    """A stream that stands."""
    await asyncio.sleep(20)


async def read_until(reader: asyncio.StreamReader, text: bytes) -> str:
    """The body as told up to and with `text`, without the lengths of its chunks."""
    told = await asyncio.wait_for(reader.readuntil(text), 15)
    return re.sub(r"(?m)^[0-9a-f]+\r\n", "", told.decode()).replace("\r\n", "\n")


def follow(gateway: Gateway, script: Script, service: str = "claims") -> Origin:
    """A service whose nth stream does what `script` says; a stream ends with its script."""

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        nth = len(origin.seen)
        await begin_chunks(writer, "text/event-stream")
        await script(nth, writer)

    origin = gateway.origin(service, answer)
    return origin


async def test_each_service_gets_its_own_part_and_the_id_is_the_vector(gateway: Gateway) -> None:
    async def claims_says(_nth: int, writer: asyncio.StreamWriter) -> None:
        await chunk(writer, event(1500, "claim", "R-1"))
        await asyncio.sleep(20)

    async def documents_says(_nth: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        await chunk(writer, b": a comment\n\nid: 2600\n\n" + event(2700, "document", "d-1"))
        await asyncio.sleep(20)

    async with (
        follow(gateway, claims_says) as claims,
        follow(gateway, documents_says, "documents") as documents,
        gateway.origin("notifications", no_stream) as notifications,
        gateway.open(ask()) as reader,
    ):
        told = await read_until(reader, b'"d-1"}')
    assert "content-type: text/event-stream" in told
    assert 'id: c1500.d2000.n3000\nevent: claim\ndata: {"id": "R-1"}' in told
    assert 'id: c1500.d2700.n3000\nevent: document\ndata: {"id": "d-1"}' in told
    asked = [origin.seen[0].target.split("/stream")[1] for origin in (claims, documents, notifications)]
    assert asked == ["?after=1000", "?after=2000", "?after=3000"]


async def test_the_last_event_id_wins_over_the_query(gateway: Gateway) -> None:
    async def says(_nth: int, writer: asyncio.StreamWriter) -> None:
        await chunk(writer, event(9000, "claim", "R-1"))

    async with follow(gateway, says) as claims, gateway.open(ask(last_id="c7000.d1.n1")) as reader:
        await read_until(reader, b'"R-1"}')
    assert claims.seen[0].target.endswith("/stream?after=7000")


async def test_a_broken_service_stream_is_opened_again_from_its_part(gateway: Gateway) -> None:
    async def says(nth: int, writer: asyncio.StreamWriter) -> None:
        await chunk(writer, event(1000 + nth, "claim", f"R-{nth}"))
        if nth > 2:
            await asyncio.sleep(20)

    async with follow(gateway, says) as claims, gateway.open(ask()) as reader:
        told = await read_until(reader, b'"R-3"}')
    assert told.count("event: claim") == 3
    assert [seen.target.split("after=")[1] for seen in claims.seen] == ["1000", "1001", "1002"]


async def test_each_id_covers_what_was_sent_and_no_more(gateway: Gateway) -> None:
    async def says(_nth: int, writer: asyncio.StreamWriter) -> None:
        await chunk(writer, b"".join(event(2000 + n, "claim", f"R-{n}") for n in range(3)))
        await asyncio.sleep(20)

    async with follow(gateway, says), gateway.open(ask()) as reader:
        told = await read_until(reader, b'"R-2"}')
    assert re.findall(r"id: c(\d+)\.", told) == ["2000", "2001", "2002"]


async def test_too_much_at_once_becomes_one_reload(gateway: Gateway) -> None:
    async def says(_nth: int, writer: asyncio.StreamWriter) -> None:
        await chunk(writer, b"".join(event(2000 + n, "claim", f"R-{n}") for n in range(201)))
        await asyncio.sleep(20)

    async with follow(gateway, says), gateway.open(ask()) as reader:
        told = await read_until(reader, b"event: reload\r\ndata: {}")
    assert "event: claim" not in told
    assert "id: c2200.d2000.n3000" in told


async def test_a_refused_token_is_refused_at_once(gateway: Gateway) -> None:
    async def refuses(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "401 Unauthorized", b"{}", "Content-Type: application/problem+json")

    async with gateway.origin("claims", refuses):
        status, headers, _ = await gateway.raw(ask())
        unread, _, _ = await gateway.raw("GET /api/v1/stream HTTP/1.1\nHost: portal\nAuthorization: Bearer rubbish")
    assert (status, unread) == (401, 401)
    assert ("content-type", "application/problem+json") in headers


async def test_a_session_that_is_closed_ends_the_stream(gateway: Gateway) -> None:
    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if len(claims.seen) > 1:
            await say(writer, "401 Unauthorized", b"{}")
            return
        await begin_chunks(writer, "text/event-stream")
        await chunk(writer, event(1500, "claim", "R-1"))
        await chunk(writer, b"")

    claims = gateway.origin("claims", answer)
    async with claims, gateway.open(ask()) as reader:
        told = await asyncio.wait_for(reader.readuntil(END), 10)
    assert b"R-1" in told


async def test_the_stream_ends_with_its_token(gateway: Gateway) -> None:
    async with follow(gateway, says_nothing), gateway.open(ask(lives_s=3)) as reader:
        started = time.monotonic()
        await asyncio.wait_for(reader.readuntil(END), 10)
    assert 1 < time.monotonic() - started < 5


async def test_a_stop_does_not_wait_for_listeners() -> None:
    with Gateway() as gateway:
        async with follow(gateway, says_nothing), gateway.open(ask()) as reader:
            await read_until(reader, b": open")
            assert await asyncio.to_thread(gateway.stop) < 5  # HTTP_DRAIN_SECONDS is 10


async def test_clients_that_leave_take_their_service_streams_with_them(gateway: Gateway) -> None:
    """While they are told: the gateway's HTTP client gives what has come in the place of being cancelled."""
    told: set[int] = set()
    all_gone = asyncio.Event()

    async def says(nth: int, writer: asyncio.StreamWriter) -> None:
        told.add(nth)
        try:
            while True:
                await chunk(writer, b":\n\n")
                await asyncio.sleep(0.01)
        except ConnectionError:
            told.remove(nth)
            if not told:
                all_gone.set()
            raise

    async with follow(gateway, says):
        async with contextlib.AsyncExitStack() as clients:
            for _ in range(40):
                await read_until(await clients.enter_async_context(gateway.open(ask())), b": open")
            assert len(told) == 40
        await asyncio.wait_for(all_gone.wait(), 10)


async def test_a_full_process_says_so() -> None:
    with Gateway(STREAM_MAX_OPEN="1") as gateway:
        async with follow(gateway, says_nothing), gateway.open(ask()) as reader:
            await read_until(reader, b": open")
            status, headers, _ = await gateway.raw(ask())
    assert (status, dict(headers)["retry-after"]) == (503, "30")
