"""What is in the way is said in one line, and nothing is left behind."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.environment import PROCESSES, Environments
from deploy.local.errors import StackError
from deploy.local.paths import ROOT, cache_folder, data_folder
from deploy.local.ports import HOST, Ports, is_free
from deploy.local.secrets import Secrets
from deploy.topology import OPERATORS


def test_taken_ports_are_named_with_what_to_do() -> None:
    ports = Ports.free()
    with (
        socket.create_server((HOST, ports.kafka)),
        socket.create_server((HOST, ports.mail_reader)),
        pytest.raises(StackError) as said,
    ):
        ports.require_free()
    assert str(said.value).startswith(
        f"the following ports are taken by another program: {ports.kafka} (kafka), {ports.mail_reader} (mail reader)."
    )
    assert "Stop that program" in str(said.value)
    ports.require_free()


def test_free_ports_differ_and_are_free() -> None:
    ports = asdict(Ports.free())
    assert len(set(ports.values())) == len(ports)
    assert all(is_free(port) for port in ports.values())


def test_taken_ports_end_the_start_before_anything_runs(tmp_path: Path) -> None:
    ports = Ports.free()
    with (
        socket.create_server((HOST, ports.gateway)),
        pytest.raises(StackError, match="gateway"),
        stack.running(tmp_path, ports),
    ):
        pytest.fail("started although a port is taken")
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_second_run_is_told_of_the_first_and_clean_data_waits_for_its_end(tmp_path: Path) -> None:
    hold = f"import fcntl; f = open({str(tmp_path / 'lock')!r}, 'w'); f.write('4711'); f.flush(); fcntl.flock(f, 2)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with (
            pytest.raises(StackError, match=r"already running from .* \(process 4711\)"),
            stack.running(tmp_path, Ports()),
        ):
            pytest.fail("started twice")
        with pytest.raises(StackError, match="already running"):
            stack.clean(tmp_path)
        first.communicate("\n")


def test_clean_data_deletes_what_the_stack_keeps_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kafka/data").mkdir(parents=True)
    (tmp_path / "holiday.jpg").write_bytes(b"")
    (tmp_path / "secrets.json").write_text("{}")
    stack.clean(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"holiday.jpg", "lock"}


def test_a_folder_nobody_may_write_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="ESPACE_ASSURE_HOME"), stack.running(tmp_path / "file/below", Ports()):
        pytest.fail("started without a folder")


def test_secrets_are_made_once_kept_and_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = Secrets.kept_in(file)
    again = Secrets.kept_in(file)
    assert first["kafka/auth"] == again["kafka/auth"] != first["kafka/claims"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert first["kafka/auth"] not in repr(first)
    file.write_text("{")
    with pytest.raises(StackError, match="make clean-data"):
        Secrets.kept_in(file)


def test_an_older_data_folder_gets_the_secrets_it_lacks_and_keeps_its_own(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    Secrets.kept_in(file)
    older = {name: value for name, value in json.loads(file.read_text()).items() if name != f"mongo/{OPERATORS}"}
    file.write_text(json.dumps(older))
    now = Secrets.kept_in(file)
    assert json.loads(file.read_text()) == {**older, f"mongo/{OPERATORS}": now[f"mongo/{OPERATORS}"]}
    assert now[f"mongo/{OPERATORS}"]


def test_each_process_gets_its_own_users_and_no_other_processes_secrets(tmp_path: Path) -> None:
    environments = Environments(Ports(), Secrets.kept_in(tmp_path / "secrets.json"))
    by_process = {name: environments.of(name) for name in PROCESSES} | {OPERATORS: environments.operators()}
    private = ("KAFKA_PASSWORD", "MONGO_URL", "AT_REST_KEYS", "SIGNING_KEYS", "COOKIE_KEYS", "MINIO_SECRET_KEY")
    for setting in private:
        held = [environment[setting] for environment in by_process.values() if setting in environment]
        assert held
        assert len(set(held)) == len(held)
    assert by_process["auth"]["SEALING_KEYS"] == by_process["notifications"]["SEALING_KEYS"]
    assert {name for name in PROCESSES if "SEALING_KEYS" in by_process[name]} == {"auth", "notifications"}
    assert not {name for name in by_process["gateway"] if name.startswith(("KAFKA", "MONGO", "MINIO"))}


def test_folders_follow_the_xdg_variables_and_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/laure")
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "ESPACE_ASSURE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() == Path("/home/laure/.cache/espace-assure")
    assert data_folder() == Path("/home/laure/.local/state/espace-assure")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    monkeypatch.setenv("ESPACE_ASSURE_HOME", "/srv/portal")
    assert cache_folder() == Path("/var/cache/espace-assure")
    assert data_folder() == Path("/srv/portal")
    assert (ROOT / "pyproject.toml").exists()
