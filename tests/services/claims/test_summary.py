"""A year in figures over HTTP: from events in any order to months, domains and a total that agree with the list."""

import random
from calendar import monthrange
from collections import Counter
from datetime import date
from itertools import pairwise
from typing import Any
from unittest.mock import ANY

import pytest

from services.claims import card
from services.claims.store.queries import summary_query
from shared.events.base import Event
from tests.services.claims.conftest import ClaimsService
from tests.services.claims.examples import event, line, paid, received, refused, reversed_

pytestmark = pytest.mark.servers

NOTHING = {"spent_cents": 0, "base_cents": 0, "complementary_cents": 0}
GLASSES = line(2, domain="OPTI", spent_cents=30000, statutory_cents=18, complementary_cents=20000, other_cents=5000)
FRANCHISE = line(3, act_code="FR", act_label="Franchise", statutory_cents=-100, **NOTHING)


def events_of(member: str) -> list[Event[Any]]:
    """A life of claims: two domains, a deduction, a provider, a reversal of the next year, a refusal."""
    return [
        event(received("R-1", member=member), 1),
        event(paid("R-1", line(), GLASSES, FRANCHISE, member=member, paid_on=date(2026, 11, 20)), 2),
        event(paid("R-2", member=member, paid_on=date(2026, 12, 31), payee_name="PHARMACIE"), 3),
        event(reversed_("V-2", "R-2", member=member, reversed_on=date(2027, 1, 1)), 4),
        event(paid("R-3", member=member, paid_on=date(2026, 3, 1), payee_name="PHARMACIE"), 5),
        event(refused("R-4", member=member), 6),
        event(received("R-5", member=member), 7),
        event(paid("R-6", member=member, paid_on=date(2026, 3, 2)), 8),
        event(reversed_("V-6", "R-6", member=member, reversed_on=date(2026, 3, 3)), 9),
    ]


CLAIMS = ("R-1", "R-2", "V-2", "R-3", "R-4", "R-5", "R-6", "V-6")


async def year(service: ClaimsService, member: str, **query: int) -> dict[str, Any]:
    answer = await service.get("/reimbursements/summary", member, **query)
    assert answer.status == 200, await answer.text()
    told: dict[str, Any] = await answer.json()
    return told


async def test_a_year_in_figures(service: ClaimsService, member: str) -> None:
    other = f"{(int(member) + 1) % 10**8:08d}"
    await service.publish(*events_of(member), event(paid("R-1", line(complementary_cents=1), member=other)))
    await service.until_listed(member, *CLAIMS)
    await service.until_listed(other, "R-1")
    told = await year(service, member, year=2026)
    assert told == {"year": 2026, "years": [2027, 2026], "total": ANY, "months": ANY, "domains": ANY}
    assert told["total"] == {
        "reimbursed_cents": 22100,
        "to_member_cents": 20700,
        "spent_cents": 36000,
        "statutory_cents": 3818,
        "other_cents": 5000,
        "left_to_pay_cents": 5082,
        "deduction_cents": 100,
        "taken_back_cents": -700,
        "claim_count": 2,
    }
    assert [month["month"] for month in told["months"]] == list(range(1, 13))
    assert {m["month"]: (m["reimbursed_cents"], m["claim_count"]) for m in told["months"] if m["spent_cents"]} == {
        3: (700, 1),
        11: (20700, 1),
        12: (700, 0),
    }
    assert [(d["domain"], d["reimbursed_cents"], d["claim_count"]) for d in told["domains"]] == [
        ("OPTI", 20000, 1),
        ("PHAR", 2100, 2),
    ]
    next_year = await year(service, member, year=2027)
    assert (next_year["months"][0]["reimbursed_cents"], next_year["total"]["to_member_cents"]) == (-700, 0)
    assert next_year["total"]["taken_back_cents"] == -700
    assert (await year(service, other, year=2026))["total"]["reimbursed_cents"] == 1


async def test_every_sum_is_that_of_its_list(service: ClaimsService, member: str) -> None:
    await service.publish(*events_of(member))
    await service.until_listed(member, *CLAIMS)
    names = ("reimbursed_cents", "spent_cents", "left_to_pay_cents")

    async def listed(first_day: date, last_day: date, **query: str) -> list[int]:
        days = {"from": first_day.isoformat(), "to": last_day.isoformat()}
        totals = (await service.listed(member, limit=1, **days, **query))["totals"]
        return [totals[name] for name in names]

    for asked in (2026, 2027):
        told = await year(service, member, year=asked)
        assert [told["total"][name] for name in names] == await listed(date(asked, 1, 1), date(asked, 12, 31))
        for month in told["months"]:
            first = date(asked, month["month"], 1)
            last = first.replace(day=monthrange(asked, first.month)[1])
            assert [month[name] for name in names] == await listed(first, last)
        for one in told["domains"]:
            whole = await listed(date(asked, 1, 1), date(asked, 12, 31), domain=one["domain"])
            assert [one["in_list"][name] for name in names] == whole
            alone = asked == 2027  # in 2026 a claim has acts of both domains: each list shows it whole
            assert (whole == [one[name] for name in names]) is alone, one["domain"]


async def test_in_any_order_of_arrival_months_domains_and_list_agree(service: ClaimsService) -> None:
    shuffle = random.Random(20261121)  # noqa: S311 - the same orders at each run, other members than elsewhere
    answers = []
    for _ in range(6):
        member = f"{shuffle.randrange(10**8):08d}"
        told = events_of(member)
        told = [*shuffle.sample(told, len(told)), *shuffle.choices(told, k=4)]
        cuts = [0, *sorted(shuffle.sample(range(len(told)), 2)), len(told)]
        for start, end in pairwise(cuts):
            await service.publish(*told[start:end])
        await service.publish(event(received("R-9", member=member, received_on=date(2020, 1, 1))))
        items = await service.until_listed(member, *CLAIMS, "R-9")
        listed: Counter[str] = Counter()
        for item in items:
            listed[item["date"][:7]] += item["amount_cents"] or 0
        answers.append([await year(service, member, year=y) for y in (2026, 2027)])
        for found in answers[-1]:
            cents = [name for name in found["total"] if name.endswith("_cents")]
            for part in ("months", "domains"):
                assert [found["total"][c] for c in cents] == [sum(one[c] for one in found[part]) for c in cents]
            for month in found["months"]:
                assert month["reimbursed_cents"] == listed[f"{found['year']}-{month['month']:02}"]
    assert all(answer == answers[0] for answer in answers)


async def test_a_reversal_counts_once_its_claim_is_known(service: ClaimsService, member: str) -> None:
    await service.publish(event(reversed_("V-1", "R-1", member=member), 2))
    await service.until_listed(member, "V-1")
    assert (await year(service, member, year=2026))["years"] == []
    await service.publish(event(paid("R-1", member=member), 1))
    await service.until_listed(member, "R-1", "V-1")
    told = await year(service, member, year=2026)
    assert (told["years"], told["total"]["reimbursed_cents"], told["total"]["claim_count"]) == ([2026], 0, 0)


async def test_without_a_year_it_is_this_year_in_france(service: ClaimsService, member: str) -> None:
    before, told, after = card.today().year, await year(service, member), card.today().year
    assert before <= told["year"] <= after
    assert (told["years"], told["domains"], len(told["months"])) == ([], [], 12)


@pytest.mark.parametrize("asked", ["1899", "2201", "next", ""])
async def test_a_year_out_of_range_is_refused_by_name(service: ClaimsService, member: str, asked: str) -> None:
    answer = await service.get("/reimbursements/summary", member, year=asked)
    problem = await answer.json()
    assert (answer.status, problem["code"], [e["field"] for e in problem["errors"]]) == (422, "validation", ["year"])


async def test_it_reads_the_index_of_the_list(service: ClaimsService) -> None:
    asked = {"aggregate": "claims", "pipeline": summary_query("12345678"), "cursor": {}}
    plan = str(service.db.command("explain", asked, verbosity="queryPlanner"))
    assert "'indexName': 'added_up'" in plan
    assert "COLLSCAN" not in plan
