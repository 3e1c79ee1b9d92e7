"""The filtered list as a spreadsheet and on paper: whole, or refused; never cut short, never another member's."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pymongo.database import Database

from services.claims import rules
from services.claims.models import Claim
from services.claims.store import CLAIMS
from services.claims.store.rows import claim_row
from tests.services.claims.conftest import ClaimsService
from tests.services.claims.examples import enrolled, event, line, paid, received, refused, reversed_
from tests.services.claims.paper import euros
from tests.stack import RealServers, RunningPortal

pytestmark = pytest.mark.servers

CSV, PDF = "/reimbursements.csv", "/reimbursements.pdf"
PAPER_LINES, EXPORT_CLAIMS = 200, 5_000


@pytest.fixture(scope="module")
def processes(infra: RealServers) -> Iterator[RunningPortal]:
    """auth and claims, which prints short lists only."""
    portal = RunningPortal(infra, {"STATEMENT_MAX_LINES": str(PAPER_LINES), "EXPORT_MAX_CLAIMS": str(EXPORT_CLAIMS)})
    try:
        for service in ("auth", "claims"):
            portal.start(service)
        yield portal
    finally:
        for service in ("claims", "auth"):
            portal.stop(service)


def store_paid(db: Database[dict[str, Any]], member: str, count: int, first: int = 0) -> None:
    """So many paid claims, as if their events had come."""
    rows = []
    for number in range(first, first + count):
        told = event(paid(f"R-{number:05d}", member=member, paid_on=date(2026, 1 + number % 12, 1 + number % 28)))
        claim, _ = rules.merge(Claim(member, told.data.claim_id), told)
        rows.append(claim_row(claim, rules.listing(claim, None)) | {"updated_at": datetime.now(UTC)})
    db[CLAIMS].insert_many(rows)


async def spreadsheet(service: ClaimsService, member: str, **query: str | int) -> list[dict[str, str]]:
    answer = await service.get(CSV, member, **query)
    assert (answer.status, answer.get_header("content-type")) == (200, "text/csv; charset=utf-8")
    assert answer.get_header("cache-control") == "no-store"
    assert answer.get_header("content-length") is None, "it was held whole before it was sent"
    named = str(answer.get_header("content-disposition"))
    assert named.startswith('attachment; filename="remboursements-20')
    assert member not in named
    text = bytes(await answer.bytes()).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(text[1:].splitlines(), delimiter=";"))


async def test_a_spreadsheet_has_the_rows_and_the_order_of_the_list(service: ClaimsService, member: str) -> None:
    await service.publish(
        event(enrolled(member)),
        event(paid("=R-1", line(domain="OPTI", act_label="@Verres"), member=member, rank=2, payee_name="+OPTIQUE"), 1),
        event(reversed_("V-1", "=R-1", member=member), 2),
        event(refused("R-2", member=member)),
        event(received("R-3", member=member, label="Lunettes")),
        event(paid("R-4", member=f"{(int(member) + 1) % 10**8:08d}")),
    )
    await service.until_known(member)
    items = await service.until_listed(member, "=R-1", "V-1", "R-2", "R-3")
    rows = await spreadsheet(service, member)
    assert [row["Référence"].removeprefix("'") for row in rows] == [item["claim_id"] for item in items]
    found = await spreadsheet(service, member, domain="OPTI", q="VERR", **{"from": "2026-11-20", "to": "2026-11-20"})
    assert [(row["Libellé"], row["Payé à"], row["Bénéficiaire"], row["Part complémentaire"]) for row in found] == [
        ("'@Verres", "'+OPTIQUE", "Hugo", "7,00")
    ]
    assert (await service.get(CSV, member, domain="X")).status == 422


async def test_a_member_with_thousands_of_claims_gets_them_all_and_a_word_beyond(
    service: ClaimsService, member: str
) -> None:
    store_paid(service.db, member, EXPORT_CLAIMS)
    rows = await spreadsheet(service, member)
    assert len({row["Référence"] for row in rows}) == len(rows) == EXPORT_CLAIMS
    assert [row["Date"] for row in rows] == sorted((row["Date"] for row in rows), reverse=True)
    store_paid(service.db, member, 1, EXPORT_CLAIMS)
    refusal = await service.get(CSV, member)
    problem = await refusal.json()
    assert (refusal.status, problem["code"], problem["limit_claims"]) == (413, "list_too_long", EXPORT_CLAIMS)
    assert len(await spreadsheet(service, member, **{"from": "2026-06-01"})) < EXPORT_CLAIMS


async def test_a_list_on_paper_says_what_it_is_filtered_by_and_adds_it_up(service: ClaimsService, member: str) -> None:
    dear = line(act_label="Verres #1", domain="OPTI", spent_cents=100000, complementary_cents=60000, other_cents=500)
    await service.publish(
        event(enrolled(member)),
        event(paid("R-1", dear, member=member, rank=2, payee_name="OPTIQUE *2*"), 1),
        event(paid("R-2", member=member, paid_on=date(2026, 3, 1)), 1),
        event(refused("R-3", member=member, rank=2, refused_on=date(2026, 11, 21))),
    )
    await service.until_known(member)
    await service.until_listed(member, "R-1", "R-2", "R-3")
    asked: dict[str, str | int] = {"from": "2026-11-01", "to": "2026-11-30", "beneficiary": 2}
    paper = await service.pdf(PDF, member, **asked)
    paper.expect_accessible()
    assert paper.disposition.startswith('attachment; filename="remboursements-20')
    text = paper.text()
    for words in (
        "Mes remboursements",
        f"Laure Dupont Numéro d’adhérent : {member}",
        "Période : du 1er novembre 2026 au 30 novembre 2026",
        "Bénéficiaire : Hugo",
        f"{euros(60000)} remboursés 2 remboursements · {euros(100000)} de dépenses · {euros(38200)} restés à votre ch",
        "20/11/2026 Verres #1",
        "Hugo · Payé · payé à OPTIQUE *2* · R-1",
        "21/11/2026 Remboursement",
        f"Total {euros(100000)} {euros(1300)} {euros(60000)} {euros(500)} {euros(38200)}",
    ):
        assert words in text, words
    assert "R-2" not in text
    assert "2 84 05" not in text
    others = await service.pdf(PDF, member, **{"from": "2026-02-01", "to": "2026-10-31", "status": "paid"})
    assert "Autres" not in others.text()
    nothing = (await service.pdf(PDF, member, q="introuvable ", domain="AUDI", to="2026-01-31")).text()
    for words in ("Période : jusqu’au 31 janvier 2026", "Domaine : Audioprothèses", "Recherche : introuvable", "0 rem"):
        assert words in nothing


async def test_a_long_list_goes_on_over_pages_and_a_longer_one_is_refused(service: ClaimsService, member: str) -> None:
    store_paid(service.db, member, PAPER_LINES)
    pages = (await service.pdf(PDF, member)).pages()
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert "Date Remboursement" in page
        assert f"Page {number} / {len(pages)}" in page
    assert f"Total {euros(2000 * PAPER_LINES)}" in pages[-1]
    store_paid(service.db, member, 1, PAPER_LINES)
    refusal = await service.get(PDF, member)
    assert (refusal.status, (await refusal.json())["limit_claims"]) == (413, PAPER_LINES)
