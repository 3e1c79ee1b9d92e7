"""Many open streams, in a process of its own: what it takes itself counts nowhere.

    python -m benchmarks.stream_client <port> <connections opened at once>

Reads a token a line on standard input, up to an empty line, and opens a stream with each. Writes `open <count>` when
all stand, then a line for each change told: the claim's id, the stream's id in ms, when it was read in s since 1970.
"""

import asyncio
import sys
import time

from deploy.local.ports import HOST

_BEGUN = (b"\nid: ", b"open")
"""claims' own first id; the gateway's first comment."""


async def main(port: int, at_once: int) -> None:
    """Open all, then listen until standard input is closed for good."""
    tokens = []
    while token := sys.stdin.readline().strip():
        tokens.append(token)
    opening = asyncio.Semaphore(at_once)
    begun = [asyncio.Event() for _ in tokens]
    async with asyncio.TaskGroup() as group:
        streams = [
            group.create_task(_listen(port, number, token, opening, begun[number]))
            for number, token in enumerate(tokens)
        ]
        for event in begun:
            await event.wait()
        print(f"open {len(tokens)}", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for stream in streams:
            stream.cancel()


async def _listen(port: int, number: int, token: str, opening: asyncio.Semaphore, begun: asyncio.Event) -> None:
    async with opening:
        reader, writer = await asyncio.open_connection(HOST, port, limit=4096)
        network = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"  # behind the gateway's proxy
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: portal\r\nX-Forwarded-For: {network}\r\n"
        writer.write(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
        first = await reader.readuntil(b"\r\n\r\n")
        if not first.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"stream {number} was answered {first[:40]!r}")
        seen = b""
        while not any(mark in seen for mark in _BEGUN):
            seen += await reader.readline()
        begun.set()
    at_ms = 0
    while line := await reader.readline():
        if line.startswith(b"id: "):
            at_ms = int(line[4:].decode().strip().removeprefix("c").split(".")[0])
        elif line.startswith(b'data: {"id"'):
            print(line.split(b'"')[3].decode(), at_ms, f"{time.time():.6f}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
