"""Identity: sign-ins, an attack on one identifier, refreshes, token checks, and what timing gives away."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.bench import SEED, Bench, Row, row
from benchmarks.identity import attack, rates, timing, token_checks
from benchmarks.identity.attack import Attacked
from benchmarks.identity.people import Api, Networks, make_known
from benchmarks.identity.rates import Rates
from benchmarks.identity.timing import Timing
from deploy.local.ports import HOST

VICTIMS = attack.ROUNDS
_KEYCLOAK: Final = {"rate": 22.0, "p99_ms": 575.0, "memory_mib": 730.0}
"""Keycloak 26.7 on a quiet machine of two cores, with the same parameters of argon2id."""


async def measure(bench: Bench) -> list[Row]:
    """Everything, one after the other on the same servers; about five minutes."""
    members = bench.members[-(timing.IDENTIFIERS + VICTIMS) :]
    networks = Networks()
    async with Api(bench.gateway_url(), networks) as gateway:
        people = await make_known(bench, members, gateway)
        victims, people = people[:VICTIMS], people[VICTIMS:]
        print(f"  {len(people)} members with passwords of their own", flush=True)
        rows = list(_sign_ins(*await rates.sign_ins(bench, people, gateway)))
        rows += _attacked(await attack.measure(bench, people, victims, networks))
        rows += _refreshes(*await rates.refreshes(bench, people, gateway))
    rows += _checks(*await token_checks.measure(bench))
    async with Api(f"http://{HOST}:{bench.infra.ports.of('auth')}", networks) as auth:
        wrong, refused = await timing.measure(auth, people, SEED)
    rows += [*_timing("wrong password", wrong), *_timing("refused unhashed", refused)]
    return rows


def _sign_ins(ours: Rates, bare: Rates, memory_mib: float) -> Iterator[Row]:
    us, limit = statistics.median(ours.per_second), statistics.median(bare.per_second)
    yield row("sign-ins/s, bare argon2id loop", us, limit, decimals=1)
    yield row("sign-ins/s, Keycloak 26.7", us, _KEYCLOAK["rate"], decimals=1)
    yield row("  p50, ms, 8 clients", _quantile(ours.times_ms, 50), _quantile(bare.times_ms, 50))
    yield row("  p99, ms, 8 clients, Keycloak 26.7", _quantile(ours.times_ms, 99), _KEYCLOAK["p99_ms"])
    yield row("  peak memory of auth, MiB, Keycloak 26.7", memory_mib, _KEYCLOAK["memory_mib"])
    yield row("  CPU ms of one, and of its hash alone", ours.cpu_ms(), bare.cpu_ms(), decimals=1)
    for name in ours.cpu_s:
        yield (f"    {name}", f"{ours.cpu_ms(name):.1f}", "", "")
    yield ("    besides: the client that asks", f"{1000 * ours.client_s / len(ours.times_ms):.1f}", "", "")


def _attacked(seen: Attacked) -> Iterator[Row]:
    yield row("sign-in p50, ms, under attack and quiet", *(_quantile(t, 50) for t in (seen.attacked_ms, seen.quiet_ms)))
    yield row("sign-in p99, ms, under attack and quiet", *(_quantile(t, 99) for t in (seen.attacked_ms, seen.quiet_ms)))
    yield ("  wrong attempts/s", f"{seen.wrong_per_second:.0f}", f"{attack.WRONG_PER_SECOND:.0f}", "")
    yield ("  members told to come again (503)", f"{seen.unserved}", "0", "")
    answers = ", ".join(f"{status}: {n:,}" for status, n in sorted(seen.answers.items()))
    total = seen.answers.total()
    yield ("  refused without hashing", f"{total - seen.hashed:,}", f"{total:,}", f"{1 - seen.hashed / total:.3f}")
    yield (f"    answers {answers}", "", "", "")


def _refreshes(through: Rates, direct: Rates) -> Iterator[Row]:
    yield ("refreshes/s through the gateway, 8 clients", f"{through.per_second[0]:,.0f}", "", "")
    yield ("refreshes/s of auth itself, 8 clients", f"{direct.per_second[0]:,.0f}", "", "")
    yield ("  per core of auth", f"{1000 / direct.cpu_ms('auth'):,.0f}", "", "")
    yield ("  per core of auth, gateway and MongoDB", f"{1000 / through.cpu_ms():,.0f}", "", "")


def _checks(cached_us: float, new_us: float) -> Iterator[Row]:
    yield row("check of a cached token, µs", cached_us, token_checks.LIMIT_US, decimals=1)
    yield ("check of a new token, µs", f"{new_us:.0f}", "", "")


def _timing(what: str, seen: Timing) -> Iterator[Row]:
    known, unknown = statistics.median(seen.known_ms), statistics.median(seen.unknown_ms)
    yield row(f"{what}, known and unknown, median ms", known, unknown, decimals=3)
    yield ("  difference, µs", f"{seen.difference_us:.0f}", "", "")
    yield ("  rank test, p", f"{seen.p_value:.3f}", "", "")


def _quantile(times_ms: Sequence[float], quantile: int) -> float:
    return statistics.quantiles(times_ms, n=100)[quantile - 1]
