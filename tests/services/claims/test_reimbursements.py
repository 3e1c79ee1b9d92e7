"""From events on the real Kafka to answers over HTTP: what a member is shown, and what they are not."""

import asyncio
import json
import random
from datetime import date
from typing import Any

import pytest

from shared.events.record import to_message
from tests.services.claims.conftest import WITHIN_S, ClaimsService
from tests.services.claims.examples import (
    CHILDS_NIR,
    NIR,
    beneficiary,
    coverage,
    coverage_changed,
    enrolled,
    event,
    line,
    paid,
    received,
    refused,
    reversed_,
    updated,
)
from tests.services.claims.kept import kept_of

pytestmark = pytest.mark.servers


async def test_a_paid_claim_is_listed_and_shown_with_its_lines(service: ClaimsService, member: str) -> None:
    nothing = {"spent_cents": 0, "base_cents": 0, "complementary_cents": 0}
    franchise = line(2, act_code="FR", act_label="Franchise", statutory_cents=-100, **nothing)
    await service.publish(
        event(enrolled(member)), event(paid("R-1", line(), franchise, member=member, rank=2, payee_name="PHARMACIE"))
    )
    await service.until_known(member)
    [item] = await service.until_listed(member, "R-1")
    assert item == {
        "claim_id": "R-1",
        "status": "paid",
        "date": "2026-11-20",
        "beneficiary": {"rank": 2, "first_name": "Hugo"},
        "label": "Pharmacie 65 %",
        "domains": ["PHAR"],
        "amount_cents": 700,
        "spent_cents": 2000,
        "left_to_pay_cents": 100,
        "payment": {"payment_id": "P-1", "paid_on": "2026-11-20", "payee": "provider", "payee_name": "PHARMACIE"},
        "reverses": None,
        "reversed_by": None,
    }
    detail = await (await service.get("/reimbursements/R-1", member)).json()
    assert {name: detail[name] for name in item} == item
    assert [(act["left_to_pay_cents"], act["deduction_cents"]) for act in detail["lines"]] == [(0, 0), (100, 100)]
    assert detail["totals"] == {
        "spent_cents": 2000,
        "base_cents": 2000,
        "statutory_cents": 1200,
        "complementary_cents": 700,
        "other_cents": 0,
        "deduction_cents": 100,
        "left_to_pay_cents": 100,
    }


async def test_a_refusal_says_why_and_what_to_do(service: ClaimsService, member: str) -> None:
    await service.publish(
        event(received("R-1", member=member, label="Lunettes", document_ids=("d-1",)), 1),
        event(refused("R-1", member=member), 2),
    )
    [item] = await service.until_listed(member, "R-1", status="refused")
    detail = await (await service.get("/reimbursements/R-1", member)).json()
    assert (item["label"], item["amount_cents"]) == ("Lunettes", None)
    assert detail["refusal"] == {
        "refused_on": "2026-11-15",
        "reason_code": "missing_prescription",
        "reason": "Ordonnance manquante",
        "what_to_do": "Envoyez l’ordonnance",
    }
    assert (detail["received_on"], detail["document_ids"]) == ("2026-11-10", ["d-1"])


async def test_a_reversal_that_came_first_hides_nothing_and_ends_as_a_negative_line(
    service: ClaimsService, member: str
) -> None:
    await service.publish(event(reversed_("V-1", "R-1", member=member), 2))
    await service.until_listed(member, "V-1")
    assert (await service.get("/reimbursements/R-1", member)).status == 404
    await service.publish(event(paid("R-1", member=member, rank=2), 1))
    reversal, claim = await service.until_listed(member, "R-1", "V-1")
    assert (reversal["status"], reversal["amount_cents"], reversal["reverses"]) == ("reversal", -700, "R-1")
    assert (claim["status"], claim["amount_cents"], claim["reversed_by"]) == ("reversed", 700, "V-1")
    assert reversal["beneficiary"]["rank"] == 2
    found = (await service.listed(member, beneficiary=2))["items"]
    assert {item["claim_id"] for item in found} == {"R-1", "V-1"}


async def test_claims_that_come_before_their_member_wait_for_the_name(service: ClaimsService, member: str) -> None:
    await service.publish(event(paid("R-1", member=member)))
    [item] = await service.until_listed(member, "R-1")
    assert item["beneficiary"] == {"rank": 1, "first_name": None}
    await service.publish(event(enrolled(member)), event(paid("R-2", member=member)))
    await service.until_known(member)
    items = await service.until_listed(member, "R-1", "R-2")
    assert {item["beneficiary"]["first_name"] for item in items} == {"Laure"}


async def test_any_order_of_arrival_ends_in_the_same_answers(service: ClaimsService) -> None:
    shuffle = random.Random(20261120)  # noqa: S311 - the same orders at each run
    answers = []
    for _ in range(8):
        member = f"{shuffle.randrange(10**8):08d}"
        told = [
            event(received("R-1", member=member), 1, f"{member}-1"),
            event(refused("R-1", member=member), 2, f"{member}-2"),
            event(paid("R-1", line(domain="OPTI"), member=member, rank=2), 3, f"{member}-3"),
            event(paid("R-1", member=member, rank=1), 3, f"{member}-4"),
            event(reversed_("V-1", "R-1", member=member), 4, f"{member}-5"),
            event(paid("R-2", member=member), 1, f"{member}-6"),
        ]
        await service.publish(*shuffle.sample(told, len(told)), *shuffle.choices(told, k=4))
        last = event(received("R-9", member=member, received_on=date(2020, 1, 1)))
        await service.publish(last)
        await service.until_listed(member, "R-1", "V-1", "R-2", "R-9")
        shown = [await service.get(f"/reimbursements/{claim_id}", member) for claim_id in ("R-1", "V-1", "R-2")]
        answers.append([await answer.json() for answer in shown])
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0]["lines"][0]["domain"] == "PHAR"


async def test_someone_elses_claim_is_answered_like_one_that_does_not_exist(
    service: ClaimsService, member: str
) -> None:
    other = f"{(int(member) + 1) % 10**8:08d}"
    await service.publish(event(paid("R-1", member=member)))
    await service.until_listed(member, "R-1")
    problems = []
    for claim_id in ("R-1", "R-unknown"):
        answer = await service.get(f"/reimbursements/{claim_id}", other)
        assert answer.status == 404
        problems.append({k: v for k, v in (await answer.json()).items() if k != "request_id"})
    assert problems[0] == problems[1]
    assert (await service.listed(other))["items"] == []


async def test_only_a_complete_session_may_read(service: ClaimsService, member: str) -> None:
    url = service.portal.url("claims") + "/api/v1/reimbursements"
    nobody = await service.client.get(url).build().send()
    token = service.token(member, required_actions=["choose_identifier"])
    newcomer = await service.client.get(url).bearer_auth(token).build().send()
    assert (nobody.status, (await nobody.json())["code"]) == (401, "unauthenticated")
    assert (newcomer.status, (await newcomer.json())["code"]) == (403, "required_action")


async def test_a_bad_record_becomes_a_dead_letter_and_the_partition_goes_on(
    service: ClaimsService, member: str
) -> None:
    good = to_message(event(paid("R-bad", member=member)))
    wrong_sum = json.dumps(json.loads(good.value or b"") | {"amount_cents": 1}).encode()
    headers = list(good.headers)
    bad: list[tuple[bytes | None, Any]] = [
        (b"{", headers),
        (wrong_sum, headers),
        (None, headers),
        (good.value, [(n, v) for n, v in headers if n != "ce_type"] + [("ce_type", b"ClaimLost")]),
        (good.value, [(n, v) for n, v in headers if n != "ce_id"] + [("ce_id", b"\xff")]),
    ]
    before = service.db["dead_letters"].count_documents({})
    for value, told in bad:
        await service.publish_raw("claims.v1", member.encode(), value, told)
    await service.publish(event(paid("R-good", member=member)))
    await service.until_listed(member, "R-good")
    kept = 0
    async with asyncio.timeout(WITHIN_S):
        while kept < len(bad):  # they are kept after the good ones of their batch are applied
            await asyncio.sleep(0.05)
            kept = service.db["dead_letters"].count_documents({}) - before
    assert kept == len(bad)


async def test_no_nir_is_kept_in_clear(service: ClaimsService, member: str) -> None:
    await service.publish(
        event(enrolled(member), 1), event(updated(member, nir=NIR, beneficiaries=(beneficiary(1, "Laure"),)), 2)
    )
    await service.publish(event(coverage_changed(coverage("C-2", 2027), member), 3), event(paid("R-1", member=member)))
    await service.until_listed(member, "R-1")
    await service.until_known(member, periods=2)
    for collection in service.db.list_collection_names():
        for row in service.db[collection].find():
            assert str(NIR) not in str(row), collection
            assert str(CHILDS_NIR) not in str(row), collection


async def test_every_claim_event_is_kept_as_it_came_once_whether_it_stands_or_not(
    service: ClaimsService, member: str
) -> None:
    late, first = event(paid("R-1", line(spent_cents=1900), member=member), 1), event(paid("R-1", member=member), 2)
    corrected = event(paid("R-1", line(spent_cents=3000), member=member), 3)
    taken_back, again = (
        event(reversed_("V-1", "R-1", member=member), 4),
        event(reversed_("V-2", "R-1", member=member), 5),
    )
    told = [first, corrected, late, taken_back, again]
    for one in [*told, *told]:
        message = to_message(one)
        value = (message.value or b"")[:-1] + b', "more": "we do not read"}'
        await service.publish_raw(message.topic, message.key, value, list(message.headers))
    await service.publish(last := event(received("R-2", member=member)))
    await service.until_listed(member, "R-1", "V-1", "V-2", "R-2")
    kept = kept_of(service.db, [member])
    more = {"more": "we do not read"}
    assert {event_id: json.loads(one.json) for event_id, one in kept.items() if event_id != last.id} == {
        one.id: json.loads(one.data.to_json()) | more for one in told
    }
    assert {row["_id"] for row in service.db["superseded"].find({"member_number": member})} == {first.id, late.id}
    assert service.db["inbox"].count_documents({"_id": {"$regex": first.id}}) == 0
