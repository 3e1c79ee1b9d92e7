"""Which port each part listens on, always on the loopback interface only."""

from __future__ import annotations

import random
import socket
from dataclasses import asdict, dataclass
from typing import Final

from deploy.local.errors import StackError

HOST: Final = "127.0.0.1"

# Below Linux' range for outgoing connections, so that nothing takes a port while its server is being restarted.
_FREE_RANGE: Final = (15_000, 32_000)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one stack; the defaults are those of ``make run``."""

    gateway: int = 8080
    auth: int = 8081
    claims: int = 8082
    documents: int = 8083
    notifications: int = 8084
    gateway_metrics: int = 8090
    kafka: int = 9092
    kafka_controller: int = 9093
    mongo: int = 27017
    minio: int = 9000
    minio_console: int = 9001
    smtp: int = 1025
    mail_reader: int = 8025

    def of(self, name: str) -> int:
        """The port of a service or server."""
        port: int = getattr(self, name)
        return port

    @classmethod
    def free(cls) -> Ports:
        """Ports nobody listens on now, at random: for tests."""
        names = list(cls.__dataclass_fields__)
        chosen: dict[str, int] = {}
        while len(chosen) < len(names):
            port = free_port()
            if port not in chosen.values():
                chosen[names[len(chosen)]] = port
        return cls(**chosen)

    def require_free(self) -> None:
        """Raise StackError naming every port that somebody else listens on."""
        taken = [f"{port} ({name.replace('_', ' ')})" for name, port in asdict(self).items() if not is_free(port)]
        if taken:
            some = "ports are" if len(taken) > 1 else "port is"
            raise StackError(
                f"the following {some} taken by another program: {', '.join(taken)}. Stop that program "
                f"(`ss -ltnp` shows which it is) and run again."
            )


def free_port() -> int:
    """A port nobody listens on now."""
    while True:
        port = random.randint(*_FREE_RANGE)  # noqa: S311 - no secret
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket() as probe:
        # As servers do: a port that only waits out a closed connection counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
