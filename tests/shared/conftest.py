"""The echo service as fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared.workbench import Echo
from tests.stack import RealServers


@pytest.fixture
def echo(infra: RealServers, tmp_path: Path) -> Iterator[Echo]:
    """An echo service with topics of its own, not started."""
    yield from _echo(infra, tmp_path)


@pytest.fixture(scope="module")
def running_echo(infra: RealServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    """One that runs for all the tests of a module: each uses a member of its own."""
    for service in _echo(infra, tmp_path_factory.mktemp("echo")):
        service.start()
        yield service


def _echo(infra: RealServers, folder: Path) -> Iterator[Echo]:
    service = Echo(infra, folder)
    try:
        service.make_topics()
        yield service
    finally:
        service.close()
