"""Sign-ins and refreshes a second, and what they cost the processors."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.bench import Bench, cpu_s, peak_memory_mib
from benchmarks.identity.hashes import BareLoop
from benchmarks.identity.people import Api, Networks, Person
from deploy.local.ports import HOST

CLIENTS = 8
ROUNDS, ROUND_S = 4, 5.0
REFRESH_S, IDLE_S = 8.0, 2.0


@dataclass
class Rates:
    """One side: a second, in each round; ms of each; CPU seconds that each process took for all of them."""

    per_second: list[float] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)
    client_s: float = 0.0
    """CPU seconds of the thread that asks; no part of what it asked for."""

    def cpu_ms(self, *processes: str) -> float:
        """CPU ms of these processes for one sign-in or refresh."""
        return sum(self.cpu_s[name] for name in processes or self.cpu_s) * 1000 / len(self.times_ms)


class Processors:
    """CPU seconds of the processes that a sign-in or refresh passes through, less what they take when nobody asks."""

    def __init__(self, bench: Bench) -> None:
        self._pids = {name: bench.services.one(name).process.pid for name in ("gateway", "auth")}
        self._pids["mongo"] = bench.infra.server("mongo").process.pid
        self._idle = dict.fromkeys(self._pids, 0.0)
        self._before, self._since = self._taken(), time.perf_counter()

    def begin(self) -> None:
        """Count from now."""
        self._before, self._since = self._taken(), time.perf_counter()

    def idle(self) -> None:
        """Nobody asked since `begin`."""
        self._idle = {name: taken / (time.perf_counter() - self._since) for name, taken in self._gone().items()}

    def end(self, cpu_s: dict[str, float]) -> None:
        """Add what was taken since `begin`."""
        passed = time.perf_counter() - self._since
        for name, taken in self._gone().items():
            cpu_s[name] = cpu_s.get(name, 0.0) + taken - self._idle[name] * passed

    def _gone(self) -> dict[str, float]:
        return {name: taken - self._before[name] for name, taken in self._taken().items()}

    def _taken(self) -> dict[str, float]:
        return {name: cpu_s(pid) for name, pid in self._pids.items()}


async def sign_ins(bench: Bench, people: Sequence[Person], api: Api) -> tuple[Rates, Rates, float]:
    """(through the gateway, the bare loop, MiB of auth at its peak): eight clients, in turns with the loop."""
    ours, bare, loop, processors = Rates(), Rates(), BareLoop(), Processors(bench)
    for turn in range(ROUNDS):
        processors.begin()
        rate, times_ms = await asyncio.to_thread(loop.run, ROUND_S)
        processors.idle()
        bare.per_second.append(rate)
        bare.times_ms += [passed for passed, _ in times_ms]
        bare.cpu_s["hash"] = bare.cpu_s.get("hash", 0.0) + sum(worked for _, worked in times_ms) / 1000
        ending = asyncio.create_task(_end_sessions(bench))
        await _round(ours, processors, [_turns(people[n::CLIENTS], api.sign_in) for n in range(CLIENTS)], ROUND_S)
        ending.cancel()
        print(f"  round {turn + 1} of {ROUNDS}: {ours.per_second[-1]:.1f}/s, bare loop {rate:.1f}/s", flush=True)
    return ours, bare, peak_memory_mib(bench.services.one("auth").process.pid)


async def refreshes(bench: Bench, people: Sequence[Person], gateway: Api) -> tuple[Rates, Rates]:
    """(through the gateway, asked of auth itself): eight sessions, each refreshing as fast as it is answered."""
    through, direct, processors = Rates(), Rates(), Processors(bench)
    await asyncio.sleep(IDLE_S)
    processors.idle()
    async with Api(f"http://{HOST}:{bench.infra.ports.of('auth')}", Networks()) as auth:
        for api, rates in ((gateway, through), (auth, direct)):
            opened = [(await api.sign_in(person)).body["refresh_token"] for person in people[:CLIENTS]]
            await _round(rates, processors, [_refreshing(api, token) for token in opened], REFRESH_S)
    return through, direct


async def _end_sessions(bench: Bench) -> None:
    """What the device opened before is over, as after an hour: else each sign-in would have a session to close."""
    while True:
        await asyncio.to_thread(bench.database("auth")["sessions"].delete_many, {})
        await asyncio.sleep(0.5)


def _turns(people: Sequence[Person], sign_in: Callable[[Person], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """The people of one client, one after the other and again."""
    place = 0

    async def one() -> None:
        nonlocal place
        await sign_in(people[place % len(people)])
        place += 1

    return one


def _refreshing(api: Api, token: str) -> Callable[[], Awaitable[None]]:
    async def one() -> None:
        nonlocal token
        answer = await api.post("/session/refresh", {"refresh_token": token})
        if answer.status != 200:
            raise RuntimeError(f"a refresh was answered {answer.status}")
        token = answer.body["refresh_token"]

    return one


async def _round(
    rates: Rates, processors: Processors, clients: Sequence[Callable[[], Awaitable[None]]], seconds: float
) -> None:
    processors.begin()
    started, worked = time.perf_counter(), time.thread_time()

    async def client(one: Callable[[], Awaitable[None]]) -> int:
        done = 0
        while (begun := time.perf_counter()) < started + seconds:
            await one()
            rates.times_ms.append((time.perf_counter() - begun) * 1000)
            done += 1
        return done

    done = sum(await asyncio.gather(*map(client, clients)))
    rates.per_second.append(done / (time.perf_counter() - started))
    processors.end(rates.cpu_s)
    rates.client_s += time.thread_time() - worked
