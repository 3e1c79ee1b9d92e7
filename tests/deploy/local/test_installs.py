"""A tool is there whole or not at all."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from deploy.local import installs
from deploy.local.errors import StackError
from deploy.local.installs import InstallError, install


def _writes(folder: Path) -> None:
    (folder / "program").write_text("whole")


def test_a_tool_is_installed_once(tmp_path: Path) -> None:
    builds: list[Path] = []

    def build(part: Path) -> None:
        builds.append(part)
        _writes(part)

    for _ in range(2):
        folder = install(tmp_path, "tool", "1.0", build)
    assert folder == tmp_path / "tool-1.0"
    assert (folder / "program").read_text() == "whole"
    assert len(builds) == 1
    assert not builds[0].exists()


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt(), StackError("the download broke"), OSError(errno.EIO, "")]
)
def test_an_interrupted_installation_leaves_nothing(tmp_path: Path, interruption: BaseException) -> None:
    def broken(part: Path) -> None:
        (part / "program").write_text("ha")
        raise interruption

    with pytest.raises((InstallError, KeyboardInterrupt)):
        install(tmp_path, "tool", "1.0", broken)
    assert [path.name for path in tmp_path.iterdir()] == [".tool.lock"]
    assert (install(tmp_path, "tool", "1.0", _writes) / "program").read_text() == "whole"


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    half = tmp_path / ".tool-abc.part"
    half.mkdir()
    (half / "program").write_text("ha")
    install(tmp_path, "tool", "1.0", _writes)
    assert not half.exists()


def test_two_runs_build_once(tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()
    builds: list[str] = []

    def slow(part: Path) -> None:
        builds.append("built")
        started.set()
        assert go_on.wait(10)
        _writes(part)

    first = threading.Thread(target=install, args=(tmp_path, "tool", "1.0", slow))
    second = threading.Thread(target=install, args=(tmp_path, "tool", "1.0", slow))
    first.start()
    assert started.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    assert builds == ["built"]


def test_a_full_disk_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installs, "NEEDED_MIB", 10**9)
    with pytest.raises(StackError, match=r"not enough room .* 1000000000 MiB needed, \d+ MiB free"):
        install(tmp_path, "tool", "1.0", _writes)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_named(tmp_path: Path) -> None:
    def full(_part: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InstallError, match="no room left on the disk"):
        install(tmp_path, "tool", "1.0", full)
