"""One installation by docker compose, from a clean copy of the checkout, beside whatever else runs on the machine."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.compose import env
from deploy.compose.outside import operators
from deploy.local.paths import ROOT
from deploy.local.ports import Ports, free_port

UP_WITHIN_S: Final = 45 * 60
"""Of which compiling MinIO, once, takes most."""
COMMAND_WITHIN_S: Final = 300
LEFT_OUT: Final = (".git", ".venv", ".env", ".demo.json", "__pycache__", ".*_cache", ".screens", ".hypothesis")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


class Installation:
    """The copy in `folder`, with ports and a project name of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        self.project = f"espace-assure-test-{secrets.token_hex(4)}"
        self.ports = Ports.free()
        self.prometheus_port = free_port()

    @property
    def env(self) -> Mapping[str, str]:
        """The values of its `.env`."""
        return env.read(self.folder / ".env")

    @property
    def operators(self) -> dict[str, str]:
        """The environment of the operators' command line, by the published ports."""
        return operators(self.env)

    def write_env(self) -> None:
        """As `make env`, then other ports: the usual ones may be taken."""
        assert self._run(COMMAND_WITHIN_S, sys.executable, "-m", "deploy.compose", "env").status == 0
        ports = self.ports
        lines = {
            "PORTAL_URL": f"http://localhost:{ports.gateway}",
            "GATEWAY_PORT": ports.gateway,
            "KAFKA_PORT": ports.kafka,
            "MINIO_PORT": ports.minio,
            "MINIO_CONSOLE_PORT": ports.minio_console,
            "MAIL_READER_PORT": ports.mail_reader,
            "PROMETHEUS_PORT": self.prometheus_port,
            # An engine without a registry has the version that its owner put there.
            **({"PROMETHEUS_TAG": tag} if (tag := os.environ.get("PROMETHEUS_TAG")) else {}),
        }
        with (self.folder / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in lines.items())

    def up(self) -> None:
        """With the demo; returns once every container is healthy."""
        done = self.compose("up", "-d", "--build", "--wait", "--quiet-pull", within_s=UP_WITHIN_S)
        if done.status != 0:
            state = self.compose("ps", "-a").out + self.compose("logs", "--tail", "20", "--no-color").out
            raise AssertionError(f"{done.err[-3000:]}\n{state[-12_000:]}")

    def remove(self) -> None:
        """Containers, networks and volumes; the images stay, for the next time."""
        if (self.folder / ".env").exists():
            done = self.compose("down", "-v", "--remove-orphans", "--timeout", "30")
            assert done.status == 0, done.err

    def compose(self, *arguments: str, within_s: float = COMMAND_WITHIN_S) -> Done:
        """`docker compose` with the demo profile."""
        return self._run(within_s, "docker", "compose", "--profile", "demo", *arguments)

    def docker(self, *arguments: str) -> str:
        """What `docker` prints; it must succeed."""
        done = self._run(COMMAND_WITHIN_S, "docker", *arguments)
        assert done.status == 0, done.err
        return done.out

    def containers(self) -> dict[str, dict[str, Any]]:
        """Every container as `docker inspect` shows it, by service; also those that ended."""
        ids = self.compose("ps", "--all", "--quiet").out.split()
        found = json.loads(self.docker("inspect", *ids))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def demo_sign_in(self) -> tuple[str, str]:
        """Identifier and temporary password of a demo member, as `make sign-in` tells them."""
        done = self._run(COMMAND_WITHIN_S, sys.executable, "-m", "deploy.compose", "sign-in")
        found = re.search(r"identifier (\d+), temporary password (\S+)", done.out)
        assert found, f"{done.out}\n{done.err}"
        return found[1], found[2]

    def api(self, method: str, path: str, body: object = None, *, token: str = "") -> tuple[int, dict[str, Any]]:
        """Status and JSON answer of the public API."""
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        url = f"http://127.0.0.1:{self.ports.gateway}/api/v1{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def prometheus(self, path: str) -> Any:
        """The data of an answer of Prometheus' API."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.prometheus_port}/api/v1{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def _run(self, within_s: float, *command: str) -> Done:
        # What the shell has would win over .env.
        ours = {*env.read(self.folder / ".env.example"), *env.read(self.folder / ".env")}
        inherited = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("COMPOSE_")}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**inherited, "COMPOSE_PROJECT_NAME": self.project},
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)
