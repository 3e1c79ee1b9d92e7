"""`/metrics` of the gateway on a port of its own: the other one is public."""

import asyncio
from typing import Any

from prometheus_client import start_http_server


class MetricsPort:
    """Serves the process's metrics beside the app, from a thread."""

    name = "metrics"
    required = False

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server: Any = None

    async def start(self) -> None:
        """Open the port; raises OSError while somebody else has it."""
        self._server, _ = start_http_server(self._port, self._host)

    async def stop(self) -> None:
        """Close the port."""
        if self._server:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()
            self._server = None

    async def state(self) -> str:
        """`ok` once the port is open."""
        return "ok" if self._server else "not open"
