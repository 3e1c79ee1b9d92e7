"""Payments and their statements: the list, the paper, and the announcement, once, when a payment has come to rest."""

import asyncio
from datetime import date
from typing import Any

import pytest

from shared.events.claims import StatementReady
from shared.jobs import LEASE_S
from tests.services.claims.conftest import AT_MOST_S, QUIET_S, WITHIN_S, ClaimsService
from tests.services.claims.examples import enrolled, event, line, paid, reversed_
from tests.services.claims.paper import euros

pytestmark = pytest.mark.servers

NOTHING = {"spent_cents": 0, "base_cents": 0, "complementary_cents": 0}
FRANCHISE = line(2, act_code="FR", act_label="Franchise", statutory_cents=-100, **NOTHING)


async def payments(service: ClaimsService, member: str, **query: str | int) -> dict[str, Any]:
    answer = await service.get("/payments", member, **query)
    assert answer.status == 200, await answer.text()
    page: dict[str, Any] = await answer.json()
    return page


async def test_payments_are_listed_newest_first_with_what_was_paid_to_whom(service: ClaimsService, member: str) -> None:
    second = line(spent_cents=3000, statutory_cents=2050, complementary_cents=750)
    await service.publish(
        event(paid("R-1", member=member, payment_id="P-1")),
        event(paid("R-2", second, member=member, payment_id="P-1")),
        event(paid("R-3", member=member, payment_id="P-2", payee_name="PHARMACIE", paid_on=date(2026, 11, 21))),
        event(reversed_("V-3", "R-3", member=member), 5),
    )
    await service.until_listed(member, "R-1", "R-2", "R-3", "V-3")
    page = await payments(service, member)
    assert page["items"] == [
        {
            "payment_id": "P-2",
            "paid_on": "2026-11-21",
            "amount_cents": 700,
            "taken_back_cents": -700,
            "claim_count": 1,
            "payees": [{"payee": "provider", "payee_name": "PHARMACIE"}],
        },
        {
            "payment_id": "P-1",
            "paid_on": "2026-11-20",
            "amount_cents": 1450,
            "taken_back_cents": 0,
            "claim_count": 2,
            "payees": [{"payee": "member", "payee_name": None}],
        },
    ]
    assert page["next_cursor"] is None
    assert page["years"] == [2026]
    assert page["totals"] == {"payment_count": 2, "claim_count": 3, "amount_cents": 2150, "taken_back_cents": -700}


async def test_payments_are_paged_without_gaps_or_repeats(service: ClaimsService, member: str) -> None:
    claims = [(f"P-{n}", date(2026, 11, 20 + n // 3)) for n in range(7)]
    claims += [("O-2", date(2026, 1, 1)), ("O-1", date(2025, 12, 31)), ("O-0", date(2023, 1, 1))]
    told = [event(paid(f"R-{p}", member=member, payment_id=p, paid_on=day)) for p, day in claims]
    await service.publish(*told)
    await service.until_listed(member, *(f"R-{p}" for p, _ in claims))
    newest_first = ["P-6", "P-5", "P-4", "P-3", "P-2", "P-1", "P-0", "O-2", "O-1", "O-0"]
    asked: list[tuple[dict[str, int], list[str]]] = [
        ({}, newest_first),
        ({"year": 2026}, newest_first[:8]),
        ({"year": 2025}, ["O-1"]),
        ({"year": 2024}, []),
    ]
    for query, expected in asked:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await payments(service, member, limit=2, **query, **cursor)
            assert (page["years"], page["totals"]["payment_count"]) == ([2026, 2025, 2023], len(expected))
            assert page["totals"]["amount_cents"] == 700 * len(expected)
            seen += [item["payment_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [({"cursor": "nonsense"}, "cursor"), *(({"year": year}, "year") for year in ("1899", "2201", "20266", "last", ""))],
)
async def test_a_cursor_or_a_year_that_is_none_is_refused_by_name(
    service: ClaimsService, member: str, query: dict[str, str], field: str
) -> None:
    answer = await service.get("/payments", member, **query)
    problem = await answer.json()
    assert (answer.status, problem["code"], [e["field"] for e in problem["errors"]]) == (422, "validation", [field])


async def test_the_statement_has_the_figures_of_the_pages(service: ClaimsService, member: str) -> None:
    """Negative lines and an annulment included."""
    optics = line(act_label="Verres", quantity=2, spent_cents=123456, statutory_cents=1234, complementary_cents=100000)
    await service.publish(
        event(enrolled(member)),
        event(paid("R/1", line(), FRANCHISE, member=member, rank=2, payment_id="P/2026 1".replace(" ", "-"))),
        event(paid("R-2", optics, member=member, payment_id="P/2026-1")),
        event(paid("R-3", member=member, payment_id="P-other")),
        event(reversed_("V-2", "R-2", member=member, amount_cents=-100000), 5),
    )
    await service.until_known(member)
    await service.until_listed(member, "R/1", "R-2", "R-3", "V-2")
    paper = await service.pdf("/payments/P%2F2026-1/statement.pdf", member)
    assert paper.disposition == 'attachment; filename="decompte-2026-11-20.pdf"'
    paper.expect_accessible()
    text = paper.text()
    for words in ("Décompte du 20 novembre 2026", "Laure Dupont", member, "P/2026-1", "Centre de gestion Plansanté"):
        assert words in text
    details = [await (await service.get(f"/reimbursements/{claim}", member)).json() for claim in ("R%2F1", "R-2")]
    columns = ("spent_cents", "base_cents", "statutory_cents", "complementary_cents", "left_to_pay_cents")
    for detail in details:
        for act in detail["lines"]:
            assert " ".join(euros(act[column]) for column in columns) in text
    totals = [sum(detail["totals"][column] for detail in details) for column in columns]
    assert "Total " + " ".join(euros(total) for total in totals) in text
    assert f"{euros(100700)} payés à vous, par virement" in text
    assert "Verres × 2 12 novembre 2026" in text
    assert f"Une retenue de {euros(100)} est comprise dans la part de l’Assurance Maladie" in text
    assert f"Référence R-2, le 25 novembre 2026 : {euros(-100000)}. Payé deux fois" in text
    assert f"Montant du paiement après annulation : {euros(700)}" in text
    assert "R-3" not in text
    assert "2 84 05" not in text


async def test_someone_elses_statement_does_not_exist(service: ClaimsService, member: str) -> None:
    other = f"{(int(member) + 1) % 10**8:08d}"
    await service.publish(event(paid("R-1", member=other, payment_id="P-shared")))
    await service.until_listed(other, "R-1")
    assert (await service.get("/payments/P-shared/statement.pdf", member)).status == 404
    await service.publish(event(paid("R-2", line(act_label="Le mien"), member=member, payment_id="P-shared")))
    await service.until_listed(member, "R-2")
    text = (await service.pdf("/payments/P-shared/statement.pdf", member)).text()
    assert "Le mien" in text
    assert "R-1" not in text


async def test_a_long_statement_goes_on_over_pages_with_its_head_repeated(service: ClaimsService, member: str) -> None:
    many = [line(number, act_label=f"Acte {number:03d}") for number in range(1, 101)]
    await service.publish(event(paid("R-1", *many, member=member)))
    await service.until_listed(member, "R-1")
    pages = (await service.pdf("/payments/P-1/statement.pdf", member)).pages()
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert "Acte Dépense" in page or "Assurance Maladie" in page
        assert f"Page {number} / {len(pages)}" in page
    assert f"Total {euros(200000)}" in pages[-1]


async def test_a_statement_is_announced_once_when_its_claims_have_stopped_coming(
    service: ClaimsService, member: str
) -> None:
    """Two batches, a redelivery, a repeat under a new id, a late claim, and another payment beside it."""
    first, second = event(paid("R-1", member=member)), event(paid("R-2", member=member))
    await service.publish(first)
    await service.until_listed(member, "R-1")
    await asyncio.sleep(QUIET_S / 5)
    await service.publish(second, first, event(paid("R-2", member=member), 1))
    await service.publish(event(paid("R-9", member=member, payment_id="$P-2")))
    announced = await service.announced(StatementReady, member, 2)
    assert sorted((told.payment_id, told.claim_count) for told in announced) == [("$P-2", 1), ("P-1", 2)]
    assert {told.paid_on for told in announced} == {date(2026, 11, 20)}
    await service.publish(event(paid("R-3", member=member)))
    assert len(await service.announced(StatementReady, member, 2)) == 2
    assert {p["payment_id"]: p["claim_count"] for p in (await payments(service, member))["items"]}["P-1"] == 3
    assert service.db["jobs"].count_documents({"data.payments.member_number": member}) == 0


async def test_a_payment_that_never_rests_is_announced_all_the_same(service: ClaimsService, member: str) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    number = 0
    while not service.db["statements"].count_documents({"member_number": member}):
        number += 1
        await service.publish(event(paid(f"R-{number}", member=member)))
        await asyncio.sleep(QUIET_S / 4)
        assert loop.time() < began + 3 * AT_MOST_S
    assert loop.time() - began > AT_MOST_S - QUIET_S
    [told] = await service.announced(StatementReady, member, 1)
    assert told.claim_count > 1


@pytest.mark.parametrize(
    "after_s",
    [
        pytest.param(0.0, id="while it waits"),
        pytest.param(QUIET_S, id="while it announces", marks=pytest.mark.slow),  # the killed worker's lease lasts 60 s
    ],
)
async def test_a_kill_neither_loses_nor_doubles_an_announcement(
    service: ClaimsService, member: str, after_s: float
) -> None:
    payment_ids = [f"P-{n:02d}" for n in range(40)]
    told = [event(paid(f"R-{payment}", member=member, payment_id=payment)) for payment in payment_ids]
    await service.publish(*told[:20])
    await service.until_listed(member, *(f"R-{payment}" for payment in payment_ids[:20]))
    await asyncio.sleep(after_s)
    service.portal.kill("claims")
    await service.publish(*told)
    await asyncio.to_thread(service.portal.start, "claims")
    announced = await service.announced(StatementReady, member, 40, within_s=LEASE_S + WITHIN_S)
    assert sorted(one.payment_id for one in announced) == payment_ids
