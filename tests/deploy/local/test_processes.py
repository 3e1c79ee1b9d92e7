"""Children end with their stack, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.processes import Processes

pytestmark = pytest.mark.processes

PATH = {"PATH": os.environ["PATH"]}


def _gone(pid: int, within_s: float = 15.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # ended; nobody has asked for its exit code yet
            return True
        time.sleep(0.05)
    return False


def test_leaving_stops_every_child_and_its_children(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("sleeper", ["sleep", "60"], PATH)
        assert child.running
    assert not child.running


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("stubborn", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"], PATH)
        while "up" not in child.last_lines():
            time.sleep(0.02)
        child.stop(within_s=0.3)
        assert not child.running
        processes.ended(child)


def test_a_death_is_reported_with_the_last_log_lines(tmp_path: Path) -> None:
    with (
        Processes(tmp_path) as processes,
        pytest.raises(StackError, match=r"(?s)kafka ended with exit code 3.*the disk is on fire"),
    ):
        processes.run("kafka", ["sh", "-c", "echo the disk is on fire; exit 3"], PATH)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes, pytest.raises(StackError, match="minio cannot be started: /nowhere/minio"):
        processes.start("minio", ["/nowhere/minio"], PATH)


def test_kill_9_of_the_stack_ends_its_children_and_then_frees_its_lock(tmp_path: Path) -> None:
    script = (
        "import fcntl, os, sys, time; from pathlib import Path; from deploy.local.processes import Processes\n"
        f"lock = open({str(tmp_path / 'lock')!r}, 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        f"processes = Processes(Path({str(tmp_path)!r}), hold=[lock.fileno()])\n"
        "child = processes.start('sleeper', ['sh', '-c', 'sleep 60 & wait'], os.environ)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    stack = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert stack.stdout is not None
    child = int(stack.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    stack.send_signal(signal.SIGKILL)
    stack.wait(10)
    stack.stdout.close()
    assert _gone(child)
    subprocess.run(["flock", "--exclusive", "--timeout", "10", str(tmp_path / "lock"), "true"], check=True)
