"""Mailpit: takes every mail the portal sends and shows it in a browser."""

from __future__ import annotations

from pathlib import Path

from deploy.local.ports import HOST, Ports
from deploy.local.servers.program import Program, http_ok
from deploy.local.tools import Tools


def program(folder: Path, ports: Ports, tools: Tools) -> Program:
    """The server. ``folder`` is its own; mails stay between runs, the newest 5,000 of them."""
    folder.mkdir(parents=True, exist_ok=True)
    listeners = ["--listen", f"{HOST}:{ports.mail_reader}", "--smtp", f"{HOST}:{ports.smtp}"]
    kept = ["--database", str(folder / "mails.db"), "--max", "5000"]
    return Program(
        "mailpit",
        [str(tools.mailpit), *listeners, *kept, "--disable-version-check"],
        lambda: http_ok(ports.mail_reader, "/readyz"),
        folder=folder,
    )
