"""One gateway for the tests of a module; those that need other settings start their own."""

from collections.abc import Iterator

import pytest

from tests.services.gateway.running import Gateway


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """A gateway whose services are what the test says they are."""
    with Gateway() as gateway:
        yield gateway
