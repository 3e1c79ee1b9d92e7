"""``make run``: start, load the demo, say where to go, and stay until Ctrl-C."""

from __future__ import annotations

import time
from typing import Final

from deploy.local import demo, stack
from deploy.local.demo import SignIn
from deploy.local.infra import Infra
from deploy.local.paths import data_folder
from deploy.local.ports import HOST, Ports
from deploy.local.secrets import MINIO_ROOT

PYTHON: Final = ".venv/bin/python"


def run() -> None:
    """Runs until it is interrupted. Raises StackError when something is in the way or a process dies."""
    started = time.monotonic()
    with stack.running(data_folder(), Ports()) as running:
        ready_s = time.monotonic() - started
        infra = running.infra
        sign_in = demo.sign_in(infra.environments.operators(), infra.folder / stack.DEMO_FILE)
        print(_where_to_go(infra, ready_s, sign_in), flush=True)
        running.watch()


def _where_to_go(infra: Infra, ready_s: float, sign_in: SignIn) -> str:
    root, root_password = MINIO_ROOT, infra.secrets[f"minio/{MINIO_ROOT}"]
    return f"""
The portal is ready ({ready_s:.0f} s).

  Portal             {infra.environments.portal_url}
{sign_in.lines}
  Mails              http://{HOST}:{infra.ports.mail_reader}
  Files, letters     http://{HOST}:{infra.ports.minio_console} (MinIO: user {root}, password {root_password})
  Publish a claim    {PYTHON} -m deploy.cli example ClaimPaid --member {sign_in.member_number} > claim.json
                     make publish FILE=claim.json
  Data and logs      {infra.folder}

Ctrl-C stops everything; the data stays until `make clean-data`."""
