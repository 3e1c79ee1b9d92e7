"""Windows of a minute: each begins with its address's first request, and many addresses cost no more than one."""

import pytest

from services.gateway import rate_limits
from services.gateway.rate_limits import RateLimits
from services.gateway.routes import Route
from shared.errors import TooManyRequests

SIGN_IN = Route(("POST",), "/api/v1/session", "auth", bearer=False)
PER_MINUTE = 3
PERCENT = 100 * PER_MINUTE // SIGN_IN.per_minute + 1


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> RateLimits:
    return RateLimits(PERCENT, clock)


def ask(limits: RateLimits, address: str, times: int = 1) -> int | None:
    """Seconds to wait after that many requests, if the last of them was refused."""
    for n in range(times):
        try:
            limits.count(SIGN_IN, address)
        except TooManyRequests as refused:
            assert n == times - 1, "refused too early"
            return refused.retry_after_s
    return None


def test_a_minute_begins_with_the_first_request_and_its_end_lets_through_again(
    limits: RateLimits, clock: Clock
) -> None:
    assert ask(limits, "192.0.2.7", PER_MINUTE) is None
    clock.now_s += 40.5
    assert ask(limits, "192.0.2.7") == 20
    assert ask(limits, "192.0.2.8") is None
    clock.now_s += 19.5
    assert ask(limits, "192.0.2.7", PER_MINUTE) is None
    assert ask(limits, "192.0.2.7") == 60
    assert ask(limits, "192.0.2.8", PER_MINUTE - 1) is None  # its own minute goes on


def test_however_many_addresses_ask_what_is_over_or_too_much_is_forgotten(
    limits: RateLimits, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_WINDOWS", 100)
    for n in range(150):
        ask(limits, f"10.0.{n}.1")
    assert len(limits) == 100
    clock.now_s += 60
    ask(limits, "192.0.2.7")
    assert len(limits) == 1


def test_without_limits_nothing_is_counted(clock: Clock) -> None:
    limits = RateLimits(0, clock)
    for _ in range(1000):
        limits.count(SIGN_IN, "192.0.2.7")
    assert len(limits) == 0
