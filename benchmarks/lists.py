"""How soon « Mes remboursements » is answered to a member with a great many claims, filtered and not."""

import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyreqwest.client import Client, ClientBuilder

from benchmarks.bench import SEED, Bench, cpu_s, until
from deploy.local.ports import HOST
from deploy.simulator.flow import history
from deploy.simulator.people import enrolled
from services.claims.store.queries import NEWEST_FIRST, Filter, list_query, totals_query
from shared.app import API_PREFIX
from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid, ClaimReversed, ClaimsPaymentEvent
from shared.events.membership import MemberEnrolled
from shared.events.record import to_message

LIMIT_MS = 50.0
CLAIMS = 5_000
YEARS, VISITS = 5, 8_000
"""More visits than are needed: their claims are told until there are enough."""
REQUESTS, COLD_REQUESTS = 100, 10
WITHIN_S = 180.0
LIST = "/reimbursements"

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """ms of each request from sending it to its last byte; CPU ms that claims and MongoDB took for one, which other
    work changes least; how many claims the filters let through, if any."""

    name: str
    times_ms: list[float]
    claims_cpu_ms: float
    mongo_cpu_ms: float
    found: int | None = None
    size: int = 0

    def quantile_ms(self, quantile: int) -> float:
        """Percentile."""
        return statistics.quantiles(self.times_ms, n=100)[quantile - 1]


async def measure(bench: Bench) -> AsyncIterator[Figures]:
    """Asked of claims itself, one after the other on one connection; the first page through the gateway too."""
    member = bench.members[1]
    claims = _claims(member)
    await bench.publish([to_message(event) for event in [*enrolled([member]), *claims]])
    mine = {"member_number": member.member_number}
    await until(lambda: bench.db["claims"].count_documents(mine) >= CLAIMS, WITHIN_S)
    print(f"  a member with {CLAIMS:,} claims of {YEARS} years", flush=True)
    meter = _Meter(bench)
    direct = f"http://{HOST}:{bench.infra.ports.of('claims')}"
    token = bench.token(member.member_number)
    async with ClientBuilder().no_proxy().max_connections(1).build() as client:
        asker = _Asker(client, direct, token, meter)
        for name, query in (await _lists(asker, claims)).items():
            yield await asker.figures(name, LIST, query)
        yield await asker.figures("the year's summary", f"{LIST}/summary", {"year": "2026"})
        yield await asker.figures("payments, first page", "/payments", {})
        through = _Asker(client, bench.gateway_url(), token, meter)
        yield await through.figures("first page, by the gateway", LIST, {})
    found = bench.db["claims"]
    page = found.find(list_query(member.member_number, Filter(), None)).sort(NEWEST_FIRST).limit(21)
    yield await meter.figures("in MongoDB alone: the first page", lambda: _read(page.clone()))
    sums = totals_query(member.member_number, Filter())
    yield await meter.figures("in MongoDB alone: the sums of the list", lambda: _read(found.aggregate(sums)))


async def _read(found: Iterable[Any]) -> bytes:
    list(found)
    return b"{}"


class _Meter:
    def __init__(self, bench: Bench) -> None:
        self._claims = bench.services.one("claims").process.pid
        self._mongo = bench.infra.server("mongo").process.pid

    async def figures(self, name: str, ask: Callable[[], Awaitable[bytes]]) -> Figures:
        for _ in range(COLD_REQUESTS):
            body = await ask()
        times_ms, before = [], (cpu_s(self._claims), cpu_s(self._mongo))
        for _ in range(REQUESTS):
            started = time.perf_counter()
            await ask()
            times_ms.append((time.perf_counter() - started) * 1000)
        claims_ms = (cpu_s(self._claims) - before[0]) * 1000 / REQUESTS
        mongo_ms = (cpu_s(self._mongo) - before[1]) * 1000 / REQUESTS
        answer: dict[str, Any] = json.loads(body)
        found = answer["totals"]["claim_count"] if "totals" in answer else None
        return Figures(name, times_ms, claims_ms, mongo_ms, found, len(body))


def _claims(member: MemberEnrolled) -> list[Event[ClaimsPaymentEvent]]:
    """The same in every run."""
    told: list[Event[ClaimsPaymentEvent]] = []
    ids: set[str] = set()
    for event in history(SEED, [member], days=365 * YEARS, visits=VISITS)[::-1]:
        told.append(event)
        ids.add(event.data.claim_id)
        if isinstance(event.data, ClaimReversed):
            ids.add(event.data.reverses)
        if len(ids) >= CLAIMS:
            break
    return told[::-1]


class _Asker:
    def __init__(self, client: Client, origin: str, token: str, meter: _Meter) -> None:
        self._client, self._origin, self._token, self._meter = client, origin + API_PREFIX, token, meter

    async def get(self, path: str, query: Query) -> bytes:
        """One answer, to its last byte."""
        request = self._client.get(self._origin + path).query(dict(query)).bearer_auth(self._token)
        answer = await request.build().send()
        body = bytes(await answer.bytes())
        if answer.status != 200:
            raise RuntimeError(f"{path} {dict(query)} answered {answer.status}")
        return body

    async def figures(self, name: str, path: str, query: Query) -> Figures:
        return await self._meter.figures(name, lambda: self.get(path, query))


async def _lists(asker: _Asker, claims: list[Event[ClaimsPaymentEvent]]) -> dict[str, Query]:
    """What is asked, by name: alone what the filters of the page can be."""
    middle = [event.data for event in claims if isinstance(event.data, ClaimPaid)][len(claims) // 4]
    word = str(middle.payment.payee_name or middle.lines[0].act_label).split()[-1]
    year = {"from": "2025-01-01", "to": "2025-12-31"}
    return {
        "first page": {},
        "first page of 100": {"limit": "100"},
        "a page deep in the list": {"cursor": await _deep(asker)},
        "a year": year,
        "a beneficiary": {"beneficiary": "1"},
        "refused": {"status": "refused"},
        "paid": {"status": "paid"},
        "a domain with many": {"domain": "PHAR"},
        "a domain with few": {"domain": "OPTI"},
        "search: one claim's number": {"q": middle.claim_id},
        "search: a word": {"q": word},
        "search: a common word": {"q": "pharmacie"},
        "search: one letter": {"q": "p"},
        "search: two words": {"q": "pharmacie 65"},
        "search: found nowhere": {"q": "introuvable"},
        "a year, beneficiary, paid, domain, search": {
            **year,
            "beneficiary": "1",
            "status": "paid",
            "domain": "PHAR",
            "q": "pharmacie",
        },
        "is this one in the list": {"claim_id": middle.claim_id},
    }


async def _deep(asker: _Asker) -> str:
    """The cursor of the last page of 20 but a few."""
    cursor: Query = {}
    for _ in range(CLAIMS // 100 - 1):
        page = json.loads(await asker.get(LIST, {"limit": "100", **cursor}))
        cursor = {"cursor": page["next_cursor"]}
    return cursor["cursor"]
