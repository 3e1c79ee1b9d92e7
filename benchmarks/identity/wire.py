"""JSON requests on kept-alive connections, written and read as bytes.

The asking process works on the same cores as what it measures, and this takes a third of what a whole HTTP client does.
"""

import asyncio
import json
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

WITHIN_S = 30.0
IDLE_S = 3.0
"""Shorter than uvicorn's keep-alive of 5 s: never write into a connection that the server is closing."""
_LENGTH = b"\r\ncontent-length:"


class NoAnswer(ConnectionError):
    """None came, or half of one."""


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    free_since: float = 0.0


class Wire:
    """At most so many connections to one origin at a time; the one used last is used first."""

    def __init__(self, origin: str, connections: int) -> None:
        self._at = urlsplit(origin)
        self._places, self._free = asyncio.Semaphore(connections), list[_Connection]()

    def close(self) -> None:
        """Let go of every connection."""
        for connection in self._free:
            connection.writer.close()
        self._free.clear()

    async def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer. Raises `NoAnswer`."""
        content = json.dumps(body).encode()
        told = {"host": self._at.netloc, "content-type": "application/json", "content-length": str(len(content))}
        head = "".join(f"{name}: {value}\r\n" for name, value in (told | headers).items())
        request = f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content
        async with self._places:
            try:
                async with asyncio.timeout(WITHIN_S):
                    connection = await self._connection()
                    connection.writer.write(request)
                    answer = await _read(connection.reader)
            except (OSError, EOFError) as error:
                raise NoAnswer from error
            self._free.append(replace(connection, free_since=time.monotonic()))
            return answer

    async def _connection(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if time.monotonic() - connection.free_since < IDLE_S:
                return connection
            connection.writer.close()
        return _Connection(*await asyncio.open_connection(self._at.hostname, self._at.port))


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(_LENGTH)
    return int(head[9:12]), await reader.readexactly(int(length.split(b"\r\n")[0] or 0))
