"""The filtered list over HTTP: what each filter finds, its sums, its pages, and the indexes it is read by."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from services.claims.models import Status
from services.claims.search import found_by
from services.claims.store import COLLECTIONS
from services.claims.store.payments import payments_query
from services.claims.store.queries import (
    NEWEST_FIRST,
    Filter,
    PaymentPosition,
    Position,
    in_payment,
    list_query,
    payments,
    summary_query,
    totals_query,
)
from shared.live.hub import changed_since
from tests.services.claims.conftest import ClaimsService
from tests.services.claims.examples import event, line, paid, received, refused, reversed_
from tests.stack import RealServers

pytestmark = pytest.mark.servers

VERRES = line(domain="OPTI", act_code="LUN", act_label="Verres progressifs", complementary_cents=600)
COEUR = line(domain="MED", act_label="Échographie du cœur", spent_cents=5000)


async def test_filters(service: ClaimsService, member: str) -> None:
    await service.publish(
        event(paid("A", member=member, paid_on=date(2026, 1, 10)).model_copy(update={"document_ids": ("d-1", "d-2")})),
        event(paid("B", VERRES, member=member, rank=2, paid_on=date(2026, 2, 10), payee_name="Optique de l’Hôtel")),
        event(refused("C", member=member, refused_on=date(2026, 3, 10), document_ids=("d-3",))),
        event(received("D", member=member, received_on=date(2026, 4, 10), document_ids=("d-2",))),
        event(paid("E-2026-7", COEUR, VERRES, member=member, paid_on=date(2025, 12, 31))),
    )
    await service.until_listed(member, "A", "B", "C", "D", "E-2026-7")

    async def found(**query: Any) -> list[str]:
        return [item["claim_id"] for item in (await service.listed(member, **query))["items"]]

    assert await found() == ["D", "C", "B", "A", "E-2026-7"]
    assert await found(**{"from": "2026-02-10", "to": "2026-03-10"}) == ["C", "B"]
    assert await found(**{"from": "2026-02-10", "to": "2026-02-10"}) == ["B"]
    assert await found(beneficiary=2) == ["B"]
    assert await found(status="refused") == ["C"]
    assert await found(domain="OPTI") == ["B", "E-2026-7"]
    assert await found(q="HOTEL") == await found(q=" progréssifs hôt ") == ["B"]
    assert await found(q="COEUR") == await found(q="écho") == await found(q="e-2026") == ["E-2026-7"]
    assert await found(q="verr") == ["B", "E-2026-7"]
    assert await found(q="verres pharmacie") == await found(q=".*") == await found(q="rogressifs") == []
    assert await found(q="  ") == await found()
    assert await found(status="paid", to="2026-01-31", q="verres", domain="MED", beneficiary=1) == ["E-2026-7"]
    assert await found(claim_id="B", domain="OPTI") == ["B"]
    assert await found(claim_id="B", domain="MED") == []
    assert await found(document_id="d-2") == ["D", "A"]
    assert [await found(document_id=f"d-{n}") for n in (1, 3, 4)] == [["A"], ["C"], []]
    assert await found(document_id="d-2", q="pharm", status="paid") == ["A"]


async def test_sums_are_those_of_the_whole_filtered_list(service: ClaimsService, member: str) -> None:
    dear = line(spent_cents=10000, complementary_cents=2000, other_cents=100)
    await service.publish(
        event(paid("A", member=member, paid_on=date(2026, 1, 10))),
        event(paid("B", dear, VERRES, member=member, paid_on=date(2026, 2, 10)), 1),
        event(reversed_("V", "B", member=member, reversed_on=date(2027, 2, 11), amount_cents=-2600), 2),
        event(reversed_("W", "unknown", member=member, reversed_on=date(2027, 2, 12), amount_cents=-5), 2),
        event(refused("C", member=member)),
    )
    await service.until_listed(member, "A", "B", "V", "W", "C")

    async def totals(**query: Any) -> tuple[int, ...]:
        sums = (await service.listed(member, limit=1, **query))["totals"]
        return tuple(sums[name] for name in ("claim_count", "reimbursed_cents", "spent_cents", "left_to_pay_cents"))

    assert await totals() == (5, 695, 2000, 0)
    of_2026 = {"from": "2026-01-01", "to": "2026-12-31"}
    assert await totals(**of_2026) == (3, 3300, 14000, 6700)
    year = (await (await service.get("/reimbursements/summary", member, year=2026)).json())["total"]
    assert [year[name] for name in ("reimbursed_cents", "spent_cents", "left_to_pay_cents")] == [3300, 14000, 6700]
    assert await totals(domain="OPTI") == (2, 0, 0, 0)
    assert await totals(q="nothing") == await totals(domain="AUDI") == (0, 0, 0, 0)
    items = (await service.listed(member))["items"]
    assert [(one["claim_id"], one["spent_cents"], one["left_to_pay_cents"]) for one in items] == [
        ("W", None, None),
        ("V", -12000, -6700),
        ("C", None, None),
        ("B", 12000, 6700),
        ("A", 2000, 0),
    ]


async def test_pages_give_each_claim_once_newest_first_while_others_arrive(service: ClaimsService, member: str) -> None:
    claim_ids = [f"R-{i}" for i in range(7)]
    days = [date(2026, 1, 1 + i // 3) for i in range(7)]
    await service.publish(*(event(paid(c, member=member, paid_on=d)) for c, d in zip(claim_ids, days, strict=True)))
    await service.until_listed(member, *claim_ids)
    page = await service.listed(member, limit=2, status="paid")
    pages = [[item["claim_id"] for item in page["items"]]]
    arriving = [("R-9", date(2026, 1, 3)), ("R-5b", date(2026, 1, 2)), ("R-a", date(2025, 12, 31))]
    known = list(claim_ids)
    while page["next_cursor"]:
        if arriving:  # before what was read, between, and after it
            claim_id, day = arriving.pop(0)
            known.append(claim_id)
            await service.publish(event(paid(claim_id, member=member, paid_on=day)))
            await service.until_listed(member, *known)
        page = await service.listed(member, limit=2, status="paid", cursor=page["next_cursor"])
        pages.append([item["claim_id"] for item in page["items"]])
    assert pages == [["R-6", "R-5"], ["R-4", "R-3"], ["R-2", "R-1"], ["R-0", "R-a"]]
    assert page["totals"]["claim_count"] == 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WyJkYXkiLCAieCJd"}, "cursor"),
        ({"from": "20/11/2026"}, "from"),
        ({"from": "1899-12-31"}, "from"),
        ({"to": "2101-01-01"}, "to"),
        ({"from": "2026-02-01", "to": "2026-01-31"}, "to"),
        ({"beneficiary": 0}, "beneficiary"),
        ({"beneficiary": 100}, "beneficiary"),
        ({"status": "lost"}, "status"),
        ({"domain": "X"}, "domain"),
        ({"q": "x" * 101}, "q"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    service: ClaimsService, member: str, query: dict[str, Any], field: str
) -> None:
    answer = await service.get("/reimbursements", member, **query)
    problem = await answer.json()
    assert (answer.status, problem["code"], [e["field"] for e in problem["errors"]]) == (422, "validation", [field])


@pytest.fixture(scope="module")
def many(infra: RealServers) -> Iterator[Database[dict[str, Any]]]:
    """The service's indexes, a member with 3,000 claims and another with as many."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url)
    db = client["claims_indexes"]
    for name, indexes in COLLECTIONS.items():
        if indexes:
            db[name].create_indexes(list(indexes))
    db["claims"].insert_many([row(member, n) for member in ("12345678", "12345679") for n in range(3_000)])
    yield db
    client.drop_database("claims_indexes")
    client.close()


def row(member: str, number: int) -> dict[str, Any]:
    """As much of a claim as queries look at."""
    words = found_by([f"R-{number:04d}"], ["Pharmacie 65 %", f"provider{number % 300}"])
    return {
        "_id": f"{member}/R-{number:04d}",
        "member_number": member,
        "claim_id": f"R-{number:04d}",
        "date": date(2026, 1 + number % 12, 1 + number % 28).isoformat(),
        "status": "refused" if number % 50 == 0 else "paid",
        "beneficiary_rank": 1 + number % 4,
        "domains": ["OPTI" if number % 40 == 0 else "PHAR"],
        "words": list(words),
        "figures": {"amount_cents": 700},
        "payment": {"payment_id": f"P-{number // 3}"},
        "updated_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number),
    }


FILTERS: Mapping[str, Filter] = {
    "none": Filter(),
    "period": Filter(first_day="2026-06-01", last_day="2026-06-30"),
    "beneficiary": Filter(beneficiary_rank=2),
    "status": Filter(status=Status.REFUSED),
    "domain": Filter(domain="OPTI"),
    "one claim": Filter(claim_id="R-0040", domain="OPTI"),
    "a rare word": Filter(text="provider299"),
    "a common word": Filter(text="pharm"),
    "two words": Filter(text="pharm provider29"),
    "signs": Filter(text=".*"),
    "all": Filter("2026-01-01", "2026-12-31", 1, Status.PAID, "PHAR", "pharmacie"),
}


@pytest.mark.parametrize("after", [None, Position("2026-06-15", "R-2000")], ids=["first page", "next page"])
@pytest.mark.parametrize("which", FILTERS.values(), ids=FILTERS.keys())
async def test_each_list_reads_an_index_in_its_order(
    many: Database[dict[str, Any]], which: Filter, after: Position | None
) -> None:
    found = many["claims"].find(list_query("12345678", which, after)).sort(NEWEST_FIRST).limit(21)
    explained = await asyncio.to_thread(found.explain)
    expect_indexed(explained["queryPlanner"]["winningPlan"])
    examined = explained["executionStats"]
    assert examined["totalKeysExamined"] <= 4 * 3_000, "another member's claims were read"
    if not which.text:
        assert examined["totalDocsExamined"] <= 21, "claims were read that are not on the page"


@pytest.mark.parametrize(
    "stages",
    [
        totals_query("12345678", Filter(document_id="d-1")),
        *(totals_query("12345678", which) for which in FILTERS.values()),
        summary_query("12345678"),
        payments({"member_number": "12345678", "payment": {"$exists": True}}),
        payments(in_payment("12345678", "P-7")),
        payments_query("12345678", None, None, 21),
        payments_query("12345678", 2026, PaymentPosition("2026-06-15", "P-700"), 21),
    ],
)
async def test_each_sum_reads_an_index(many: Database[dict[str, Any]], stages: list[dict[str, Any]]) -> None:
    asked = {"aggregate": "claims", "pipeline": stages, "cursor": {}}
    explained = await asyncio.to_thread(many.command, "explain", asked, verbosity="queryPlanner")
    expect_indexed(explained)


@pytest.mark.parametrize("which", [which for which in FILTERS.values() if not which.text])
async def test_the_sums_of_a_list_are_added_up_without_its_claims(
    many: Database[dict[str, Any]], which: Filter
) -> None:
    asked = {"aggregate": "claims", "pipeline": totals_query("12345678", which), "cursor": {}}
    explained = await asyncio.to_thread(many.command, "explain", asked, verbosity="executionStats")
    found = explained if "executionStats" in explained else explained["stages"][0]["$cursor"]
    assert found["executionStats"]["totalDocsExamined"] == 0


async def test_what_changed_since_a_stream_was_cut_is_found_without_reading_other_claims(
    many: Database[dict[str, Any]],
) -> None:
    found = many["claims"].find(changed_since("12345678", datetime(2026, 5, 1, tzinfo=UTC)), {"updated_at": 1})
    explained = await asyncio.to_thread(found.sort("updated_at").limit(201).explain)
    assert "COLLSCAN" not in set(_stages(explained["queryPlanner"]["winningPlan"]))
    examined = explained["executionStats"]
    assert examined["totalKeysExamined"] <= 3_001
    assert examined["totalDocsExamined"] == 3_000 - 120 * 24


def test_a_collection_scan_would_be_seen(many: Database[dict[str, Any]]) -> None:
    plan = many["claims"].find({"status": "paid"}).sort("date").explain()["queryPlanner"]["winningPlan"]
    with pytest.raises(AssertionError):
        expect_indexed(plan)


def expect_indexed(plan: Any) -> None:
    """Found by an index, and in its order."""
    stages = set(_stages(plan))
    assert "COLLSCAN" not in stages
    assert stages & {"IXSCAN", "EOF"}, stages
    assert "SORT" not in stages


def _stages(plan: Any) -> Iterator[str]:
    """Every stage, however deep; of rejected plans none."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for name, part in plan.items():
            if name != "rejectedPlans":
                yield from _stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from _stages(part)
