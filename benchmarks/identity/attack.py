"""Members who sign in calmly while strangers try passwords with one identifier, 200 times a second."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from urllib.request import urlopen

from benchmarks.bench import Bench
from benchmarks.identity.people import Api, Networks, NoRoom, Person
from benchmarks.identity.wire import NoAnswer
from deploy.local.ports import HOST

WRONG_PER_SECOND = 200.0
CALM_PER_SECOND = 5.0
ROUNDS, ROUND_S = 3, 30.0
"""450 sign-ins with and without: the p99 is the fifth slowest, not the second."""
_HASHES = 'espace_password_hashes_total{purpose="request"}'


@dataclass
class Attacked:
    """ms of the members' sign-ins, without and under attack; the attack's answers by status; how many were hashed."""

    quiet_ms: list[float] = field(default_factory=list)
    attacked_ms: list[float] = field(default_factory=list)
    unserved: int = 0
    """Members under attack who were told to come again (503): there is more of it than this machine can answer."""
    answers: Counter[int] = field(default_factory=Counter)
    """Of the attack; 0: none came."""
    hashed: int = 0
    wrong_per_second: float = 0.0


async def measure(bench: Bench, people: Sequence[Person], victims: Sequence[Person], networks: Networks) -> Attacked:
    """In turns; each round attacks another member, as one who is blocked already costs less."""
    seen, gateway = Attacked(), bench.gateway_url()
    async with Api(gateway, networks) as calm, Api(gateway, networks, connections=256) as strangers:
        for turn in range(ROUNDS):
            shift = turn * len(people) // ROUNDS
            turns = [*people[shift:], *people[:shift]]
            await _calm(calm, turns, seen.quiet_ms)
            before, signed_in = _hashes(bench), len(seen.attacked_ms)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_attack(strangers, victims[turn].number, seen))
                unserved = tasks.create_task(_calm(calm, turns, seen.attacked_ms))
            seen.unserved += unserved.result()
            seen.hashed += _hashes(bench) - before - (len(seen.attacked_ms) - signed_in)
    seen.wrong_per_second = seen.answers.total() / (ROUNDS * ROUND_S)
    return seen


async def _calm(api: Api, people: Sequence[Person], times_ms: list[float]) -> int:
    """Every second one from a device that the account does not know: nothing but its turn is there to favour it.

    Adds the ms of each sign-in; answers how many were refused for want of room.
    """
    unserved = 0

    async def one(n: int) -> None:
        nonlocal unserved
        try:
            times_ms.append((await api.sign_in(people[n % len(people)], from_known_device=n % 2 == 0)).ms)
        except NoRoom:
            unserved += 1

    await _paced(CALM_PER_SECOND, one)
    return unserved


async def _attack(api: Api, identifier: str, seen: Attacked) -> None:
    async def one(_n: int) -> None:
        try:
            seen.answers[(await api.fail(identifier)).status] += 1
        except NoAnswer:
            seen.answers[0] += 1

    await _paced(WRONG_PER_SECOND, one)


async def _paced(per_second: float, one: Callable[[int], Coroutine[None, None, None]]) -> None:
    """An open loop: each begins at its time, whether those before it were answered or not."""
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for n in range(round(per_second * ROUND_S)):
            await asyncio.sleep(max(0.0, started + n / per_second - time.perf_counter()))
            tasks.create_task(one(n))


def _hashes(bench: Bench) -> int:
    """Passwords that auth has hashed for requests so far."""
    with urlopen(f"http://{HOST}:{bench.infra.ports.of('auth')}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return next((round(float(line.split()[-1])) for line in lines if line.startswith(f"{_HASHES} ")), 0)
