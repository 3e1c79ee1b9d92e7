"""One gateway for the tests of a worker; those that need other settings start their own."""

from collections.abc import Iterator

import pytest

from tests.services.gateway.members import KEYS
from tests.services.gateway.running import Gateway


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """A gateway whose services are what the test says they are, with a key that tests seal with.

    It counts no requests: all its tests ask from one address.
    """
    with Gateway(COOKIE_KEYS=KEYS, RATE_LIMIT_PERCENT="0") as gateway:
        yield gateway
