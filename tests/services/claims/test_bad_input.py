"""Bad and strange input of claims, from records on Kafka and queries over HTTP to what is stored and answered."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from shared.events.fields import MAX_CENTS
from shared.events.record import to_message
from tests.services.claims.conftest import WITHIN_S, ClaimsService
from tests.services.claims.examples import beneficiary, enrolled, event, line, paid, reversed_, updated
from tests.services.claims.paper import euros

pytestmark = pytest.mark.servers

Change = Callable[[dict[str, Any]], None]


def in_line(**changes: Any) -> Change:
    return lambda data: data["lines"][0].update(changes)


WRONG_PAYMENTS: list[tuple[Change, str]] = [
    (lambda data: data.update(amount_cents=701), "data_invalid: amount_cents sum_mismatch"),
    (in_line(complementary_cents=701), "data_invalid: amount_cents sum_mismatch"),
    (lambda data: data.update(amount_cents=2**63), "data_invalid: amount_cents less_than_equal"),
    (in_line(spent_cents=-(2**63) - 1), "data_invalid: lines.0.spent_cents greater_than_equal"),
    (in_line(spent_cents=MAX_CENTS, statutory_cents=-1000), "data_invalid: lines sum_out_of_range"),
    (in_line(care_date="2099-02-29"), "data_invalid: lines.0.care_date date_parsing"),
    (lambda data: data["lines"].extend(data["lines"] * 500), "data_invalid: lines too_long"),
    (lambda data: data.update(beneficiary_rank=0), "data_invalid: beneficiary_rank greater_than_equal"),
]


async def test_claims_that_break_the_contract_are_dead_letters_and_the_rest_of_their_batch_is_taken(
    service: ClaimsService, member: str
) -> None:
    """All in one go, and good ones before, between and after."""
    records: list[tuple[str, bytes, list[tuple[str, bytes]]]] = []

    def add(data: Any, reason: str = "", change: Change | None = None, **headers: bytes) -> None:
        message = to_message(event(data))
        content = json.loads(message.value or b"")
        if change:
            change(content)
        told = [(name, headers.get(name, value)) for name, value in message.headers]
        records.append((reason, json.dumps(content).encode(), told))

    add(paid("R-first", member=member))
    for number, (change, reason) in enumerate(WRONG_PAYMENTS):
        add(paid(f"R-wrong-{number}", member=member), reason, change)
    add(paid("R-between", member=member))
    add(paid("R-2099", member=member), "time_in_future", ce_time=b"2099-01-01T00:00:00Z")
    positive = reversed_("V-positive", "R-first", member=member)
    add(positive, "data_invalid: amount_cents less_than", lambda data: data.update(amount_cents=700))
    of_itself = reversed_("V-itself", "R-first", member=member)
    add(of_itself, "data_invalid: reverses reverses_itself", lambda data: data.update(reverses="V-itself"))
    add(paid("R-last", member=member))

    sent = [
        await service.producer.send("claims.v1", value, key=member.encode(), headers=told) for _, value, told in records
    ]
    places = [f"claims.v1-{at.partition}-{at.offset}" for at in await asyncio.gather(*sent)]
    await service.until_listed(member, "R-first", "R-between", "R-last")
    expected = {place: reason for place, (reason, *_) in zip(places, records, strict=True) if reason}
    letters: dict[str, str] = {}
    async with asyncio.timeout(WITHIN_S):
        while len(letters) < len(expected):
            await asyncio.sleep(0.05)
            found = service.db["dead_letters"].find({"_id": {"$in": places}})
            letters = {letter["_id"]: letter["reason"] for letter in found}
    assert letters == expected
    assert (await service.listed(member))["totals"]["reimbursed_cents"] == 3 * 700


async def test_an_unknown_beneficiary_has_a_number_until_their_name_is_told(
    service: ClaimsService, member: str
) -> None:
    await service.publish(event(enrolled(member)), event(paid("R-3", member=member, rank=3)))
    await service.until_known(member)
    [item] = await service.until_listed(member, "R-3", beneficiary=3)
    assert item["beneficiary"] == {"rank": 3, "first_name": None}
    in_files = [
        bytes(await (await service.get("/reimbursements.csv", member)).bytes()).decode(),
        (await service.pdf("/reimbursements.pdf", member, beneficiary=3)).text(),
        (await service.pdf("/payments/P-1/statement.pdf", member)).text(),
    ]
    assert ["Bénéficiaire n° 3" in text for text in in_files] == [True] * 3
    family = (beneficiary(1, "Laure"), beneficiary(3, "Zoé"))
    await service.publish(event(updated(member, beneficiaries=family), 1))
    async with asyncio.timeout(WITHIN_S):
        while item["beneficiary"]["first_name"] is None:
            await asyncio.sleep(0.05)
            [item] = (await service.listed(member))["items"]
    assert item["beneficiary"] == {"rank": 3, "first_name": "Zoé"}
    assert "Zoé · Référence R-3" in (await service.pdf("/payments/P-1/statement.pdf", member)).text()


async def test_five_hundred_lines_are_all_shown(service: ClaimsService, member: str) -> None:
    lines = [line(number, act_label=f"Acte {number:03d}") for number in range(1, 501)]
    await service.publish(event(paid("R-long", *lines, member=member)))
    [item] = await service.until_listed(member, "R-long")
    assert (item["amount_cents"], item["spent_cents"]) == (350_000, 1_000_000)
    detail = await (await service.get("/reimbursements/R-long", member)).json()
    assert [act["act_label"] for act in detail["lines"]] == [act.act_label for act in lines]
    paper = (await service.pdf("/payments/P-1/statement.pdf", member)).text()
    assert all(act.act_label in paper for act in lines)
    assert f"Total {euros(1_000_000)}" in paper


async def test_days_far_ahead_are_kept_as_they_were_told(service: ClaimsService, member: str) -> None:
    """Only `ce_time` has a limit (a dead letter, above): when care was given and paid for is the payer's to say."""
    ahead = line(care_date=date(2099, 12, 30), act_label="Soins de 2099")
    await service.publish(
        event(paid("R-2099", ahead, member=member, paid_on=date(2099, 12, 31), payment_id="P-2099")),
        event(paid("R-now", member=member)),
    )
    first, _ = await service.until_listed(member, "R-2099", "R-now")
    assert (first["claim_id"], first["date"]) == ("R-2099", "2099-12-31")
    assert [item["claim_id"] for item in (await service.listed(member, to="2099-12-30"))["items"]] == ["R-now"]
    year = await (await service.get("/reimbursements/summary", member, year=2099)).json()
    assert (year["years"], year["months"][11]["reimbursed_cents"]) == ([2099, 2026], 700)
    paper = (await service.pdf("/payments/P-2099/statement.pdf", member)).text()
    assert "Décompte du 31 décembre 2099" in paper
    assert "30 décembre 2099" in paper


async def test_two_members_with_the_same_ids_each_see_their_own(service: ClaimsService, member: str) -> None:
    other = f"{(int(member) + 1) % 10**8:08d}"
    theirs = line(act_label="Le sien", spent_cents=9000, complementary_cents=800)
    await service.publish(
        event(paid("R-1", line(act_label="Le mien"), member=member), 1),
        event(paid("R-1", theirs, member=other, rank=2), 2),
        event(reversed_("V-1", "R-1", member=other, amount_cents=-800), 3),
    )
    await service.until_listed(member, "R-1")
    await service.until_listed(other, "R-1", "V-1")
    seen = {}
    for who in (member, other):
        detail = await (await service.get("/reimbursements/R-1", who)).json()
        [payment] = (await (await service.get("/payments", who)).json())["items"]
        paper = (await service.pdf("/payments/P-1/statement.pdf", who)).text()
        money = payment["amount_cents"], payment["taken_back_cents"]
        seen[who] = detail["status"], detail["label"], money, ("Le mien" in paper, "Le sien" in paper)
    assert seen == {
        member: ("paid", "Le mien", (700, 0), (True, False)),
        other: ("reversed", "Le sien", (800, -800), (False, True)),
    }
    assert (await service.get("/reimbursements/V-1", member)).status == 404


async def test_sums_beyond_64_bits_are_answered(service: ClaimsService, member: str) -> None:
    """Each claim fits, as the contract demands; what they add up to is ours to bear."""
    most = line(spent_cents=MAX_CENTS, base_cents=MAX_CENTS, statutory_cents=0, complementary_cents=MAX_CENTS)
    await service.publish(*(event(paid(f"R-{n}", most, member=member)) for n in range(3)))
    await service.until_listed(member, "R-0", "R-1", "R-2")
    about = 3 * MAX_CENTS
    sums = (
        (await service.listed(member))["totals"]["reimbursed_cents"],
        (await (await service.get("/payments", member)).json())["items"][0]["amount_cents"],
        (await (await service.get("/reimbursements/summary", member, year=2026)).json())["total"]["spent_cents"],
    )
    assert sums == pytest.approx((about, about, about), rel=1e-9)
    for path in ("/reimbursements.pdf", "/payments/P-1/statement.pdf"):
        await service.pdf(path, member)


def cursor(*parts: Any) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


FILES = ("/reimbursements.csv", "/reimbursements.pdf")
LISTS = ("/reimbursements", "/payments")


@pytest.mark.parametrize(
    ("paths", "query", "field"),
    [
        (FILES, {"from": "2026-02-30"}, "from"),
        (FILES, {"to": "2101-01-01"}, "to"),
        (FILES, {"from": "2026-02-01", "to": "2026-01-31"}, "to"),
        (FILES, {"beneficiary": "x"}, "beneficiary"),
        (FILES, {"status": ""}, "status"),
        (FILES, {"domain": "phar"}, "domain"),
        (FILES, {"q": "é" * 101}, "q"),
        (FILES, {"claim_id": "x" * 201}, "claim_id"),
        (LISTS, {"limit": "0"}, "limit"),
        (LISTS, {"limit": "101"}, "limit"),
        (LISTS, {"limit": "1e1"}, "limit"),
        (LISTS, {"cursor": "é"}, "cursor"),
        (LISTS, {"cursor": "A" * 501}, "cursor"),
        (LISTS, {"cursor": cursor()}, "cursor"),
        (LISTS, {"cursor": cursor("2026-13-01", "x")}, "cursor"),
        (LISTS, {"cursor": cursor("2026-01-01", "x", "y")}, "cursor"),
        (LISTS, {"cursor": cursor("2026-01-01", "\ud800")}, "cursor"),
        (LISTS, {"cursor": cursor({"$gt": ""}, "x")}, "cursor"),
        (("/reimbursements/summary",), {"year": "1899"}, "year"),
        (("/reimbursements/summary",), {"year": "2201"}, "year"),
        (("/reimbursements/summary",), {"year": "cette année"}, "year"),
        (("/card", "/card.pdf"), {"on": "31/12/2026"}, "on"),
        (("/stream",), {"after": "-1"}, "after"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name_wherever_it_is_asked(
    service: ClaimsService, member: str, paths: tuple[str, ...], query: dict[str, str], field: str
) -> None:
    for path in paths:
        answer = await service.get(path, member, **query)
        problem = await answer.json()
        assert (answer.status, problem["code"]) == (422, "validation"), path
        assert [error["field"] for error in problem["errors"]] == [field], path
        assert not any(value in json.dumps(problem) for value in query.values() if len(value) > 4), path
