"""Installing a tool all at once or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError
from deploy.local.progress import progress

NEEDED_MIB: Final = 5120
"""Room for the tools and for what Go, Maven and npm keep while they work (4.2 GiB seen)."""


class InstallError(StackError):
    """A tool could not be installed; nothing half-made was kept."""


def install(cache: Path, name: str, version: str, build: Callable[[Path], None], usually: str = "") -> Path:
    """The folder ``<cache>/<name>-<version>``, made by ``build(folder)`` unless it is there.

    ``build`` works in a temporary folder that becomes the tool by one rename, so an interrupted run leaves no tool
    that looks complete; what a killed run left is removed here. A second run waits for the first. Raises InstallError.
    """
    target = cache / f"{name}-{version}"
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        require_room(cache, NEEDED_MIB)
        with _alone(cache / f".{name}.lock", name):
            if not target.is_dir():
                with progress(f"Installing {name} {version}", usually):
                    _install(cache, name, target, build)
    except OSError as error:
        raise InstallError(_why(cache, name, error)) from error
    return target


def _install(cache: Path, name: str, target: Path, build: Callable[[Path], None]) -> None:
    for stale in cache.glob(f".{name}-*.part"):
        shutil.rmtree(stale, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f".{name}-", suffix=".part", dir=cache))
    try:
        build(part)
        part.chmod(0o755)
        part.rename(target)
    except StackError as error:
        raise InstallError(
            f"{name} could not be installed, nothing half-made was kept. Check the network and the free space, "
            f"then run again. {error}"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def require_room(folder: Path, mib: int) -> None:
    """Raise StackError unless the folder's disk has so much room."""
    free_mib = shutil.disk_usage(folder).free // (1024 * 1024)
    if free_mib < mib:
        raise StackError(f"not enough room on the disk of {folder}: {mib} MiB needed, {free_mib} MiB free. Make room.")


@contextmanager
def _alone(lock: Path, name: str) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress(f"Waiting for another run that installs {name}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _why(cache: Path, name: str, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{name} could not be installed: no room left on the disk of {cache}. Make room and run again."
    return f"{name} could not be installed in {cache}: {os.strerror(error.errno or 0)}. Check the folder and run again."
