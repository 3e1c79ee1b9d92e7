"""The browser of the browser tests: Debian's Chromium where root can have it, else Playwright's own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.processes import Processes
from deploy.local.progress import progress

_REMEDY = "Install Chromium (Debian: apt install chromium; elsewhere: .venv/bin/python -m playwright install chromium)."


def chromium(processes: Processes) -> Path:
    """The executable for Playwright's ``executable_path``. Raises StackError with the remedy."""
    found = _present() or _playwrights()
    if found is None:
        with progress("Installing Chromium", "about a minute, once"):
            found = _install(processes)
    return found


def _install(processes: Processes) -> Path:
    try:
        if os.geteuid() == 0 and shutil.which("apt-get"):
            apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            processes.run("install-chromium", ["apt-get", "update", "--quiet"], apt)
            packages = ["chromium", "fonts-dejavu-core"]
            processes.run("install-chromium", ["apt-get", "install", "-y", "--no-install-recommends", *packages], apt)
        else:
            processes.run("install-chromium", [sys.executable, "-m", "playwright", "install", "chromium"], os.environ)
    except StackError as error:
        raise StackError(f"Chromium could not be installed. {_REMEDY} {error}") from error
    found = _present() or _playwrights()
    if found is None:
        raise StackError(f"Chromium was installed but is not found. {_REMEDY}")
    return found


def _present() -> Path | None:
    found = shutil.which("chromium")
    return Path(found) if found else None


def _playwrights() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None
