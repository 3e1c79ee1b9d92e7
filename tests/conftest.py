"""Real servers for the tests: started once a session, on free ports, in a folder of their own.

A running ``make run`` is never touched. A tool that is missing and cannot be installed fails the tests that need it,
with its remedy; nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from deploy.local.chromium import chromium
from deploy.local.processes import Processes
from shared.logs import configure
from tests.processes import Service
from tests.stack import RealServers, RunningPortal, real_servers

# No test asserts a time: on a busy machine any example may be slow once.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


LONGEST_FIRST = (
    "e2e/test_gallery.py",
    "e2e/test_gallery_english.py",
    "e2e/test_session_end.py",
    "e2e/test_keyboard.py",
    "e2e/test_lost_password.py",
    "chaos/test_outages.py",
    "deploy/test_cli_dead_letters.py",
    "services/documents/test_outages.py",
    "services/claims/test_exports.py",
    "services/auth/test_hashing.py",
    "services/notifications/test_change_mails.py",
    "services/claims/test_statements.py",
    "services/documents/test_documents.py",
    "services/auth/test_process.py",
    "deploy/test_cli.py",
    "services/notifications/test_letters_on_servers.py",
    "services/notifications/test_member_mails.py",
    "shared/test_consumer.py",
    "services/claims/test_stream.py",
)
"""Files that take longest: begun last, one of them would keep one worker busy while the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files go to the workers in the order of their tests."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a service under test said last, beside the test that failed: alone it passes mostly, and says no more."""
    report = yield
    if report.failed:
        services = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Service)]
        report.sections += [(f"log of {service.name}", service.last_words()) for service in services]
    return report


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    """As in production: JSON lines, no rich tracebacks."""
    configure("tests", "WARNING")


@pytest.fixture(scope="session")
def infra() -> Iterator[RealServers]:
    """Kafka, MongoDB, MinIO and Mailpit, provisioned."""
    with real_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def portal(infra: RealServers) -> Iterator[RunningPortal]:
    """The five services on the session's servers.

    For one module at a time: a running service would take the events from a module that runs the same service itself.
    """
    running = RunningPortal(infra, {"COMPONENTS_PAGE": "true"})
    try:
        running.start_all()
        yield running
    finally:
        running.stop_all()


@pytest.fixture(scope="session")
def chromium_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The browser for Playwright's ``executable_path``; installed if need be, else an error that says how."""
    with Processes(tmp_path_factory.mktemp("chromium")) as processes:
        return chromium(processes)
