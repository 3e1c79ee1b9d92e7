"""A gateway process of its own, and a service behind it that does on the wire exactly what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from deploy.local.ports import HOST, free_port
from deploy.local.servers.program import http_ok
from deploy.topology import SERVICES
from services.gateway.settings import GatewaySettings


def gateway_settings(**changed: object) -> GatewaySettings:
    """Settings that could serve, with these changed."""
    services = {f"{name}_url": "http://127.0.0.1:1" for name in SERVICES}
    told = {"http_port": 8080, "metrics_port": 8090, "cookie_keys": f"gateway/1:{'A' * 43}", "portal_url": "https://x"}
    return GatewaySettings.model_validate({**services, **told, **changed})


@dataclass
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    whole: bool = False

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


Answer = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Origin:
    """An HTTP/1.1 server that notes what it is sent; `answer` writes the response, bytes and pauses."""

    answer: Answer
    port: int = field(default_factory=free_port)
    seen: list[Seen] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)

    async def stop(self) -> None:
        """Stop listening and cut what is open."""
        if self._server:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                seen = _head((await reader.readuntil(b"\r\n\r\n")).decode())
                self.seen.append(seen)
                await _read_body(reader, seen)
                await self.answer(seen, writer)
        finally:
            writer.close()


def _head(text: str) -> Seen:
    first, *lines = text.split("\r\n")
    method, target, _ = first.split(" ")
    pairs = [line.split(": ", 1) for line in lines if line]
    return Seen(method, target, [(name.lower(), value) for name, value in pairs])


async def _read_body(reader: asyncio.StreamReader, seen: Seen) -> None:
    if seen.all("transfer-encoding"):
        while size := int(await reader.readline(), 16):
            seen.body += await reader.readexactly(size)
            await reader.readexactly(2)
    elif length := seen.all("content-length"):
        seen.body = await reader.readexactly(int(length[0]))
    seen.whole = True


async def says_ok(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """200 and `{}`."""
    await say(writer, "200 OK", b"{}", "Content-Type: application/json")


async def say(writer: asyncio.StreamWriter, status: str, body: bytes, *headers: str) -> None:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    await writer.drain()


async def begin_chunks(writer: asyncio.StreamWriter, content_type: str) -> None:
    """The head of an answer without a length."""
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    await writer.drain()


async def chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    """One piece of it; empty: the end."""
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


class Gateway:
    """`python -m services.gateway`, with settings of its own. Its services are away until a test plays one."""

    def __init__(self, **settings: str) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self._services = {service: free_port() for service in SERVICES}
        self._environment = {
            **os.environ,
            "HTTP_PORT": str(self.port),
            "METRICS_PORT": str(self.metrics_port),
            "PORTAL_URL": self.url,
            "COOKIE_KEYS": f"gateway/1:{secrets.token_urlsafe(32)}",
            **{f"{service.upper()}_URL": f"http://{HOST}:{port}" for service, port in self._services.items()},
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def origin(self, service: str, answer: Answer) -> Origin:
        """What this gateway takes for `service`, once it is entered."""
        return Origin(answer, self._services[service])

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "services.gateway"]
        self._process = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not http_ok(self.port, "/readyz"):
            assert self._process.poll() is None, "the gateway did not start"
            assert time.monotonic() < deadline, "the gateway is not ready"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> float:
        """SIGTERM; answers how many seconds the process took to leave."""
        assert self._process
        started = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        return time.monotonic() - started

    async def raw(
        self, request: str, body: bytes = b"", *, port: int | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request as it is written, without any client's corrections; answers status, headers, body."""
        reader, writer = await asyncio.open_connection(HOST, port or self.port)
        try:
            lines = [line.strip() for line in request.strip().splitlines()]
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
            await writer.drain()
            head, _, rest = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
        finally:
            writer.close()
        status, *headers = head.decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in headers]
        return int(status.split(" ")[1]), [(name.lower(), value) for name, value in pairs], rest

    @contextlib.asynccontextmanager
    async def open(self, request: str) -> AsyncIterator[asyncio.StreamReader]:
        """A connection whose answer is read by the test, piece by piece."""
        reader, writer = await asyncio.open_connection(HOST, self.port, limit=2**20)
        lines = [line.strip() for line in request.strip().splitlines()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        try:
            yield reader
        finally:
            writer.close()
