"""« Mon année »: from the list to a year's figures, to the reimbursements that make one of them, and back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.outside import PASSWORD, Newcomer, Outside, claim_paid, line
from tests.e2e.pages.first_sign_in import HomePage
from tests.e2e.pages.live import expect_stream
from tests.e2e.pages.reimbursements import ReimbursementsPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

GLASSES = line(1, "LUN", "Verres progressifs", "OPTI", spent=40000, statutory=18, complementary=32000)
MINUS = "\N{MINUS SIGN}"


def test_a_year_from_its_figures_to_the_reimbursements_of_one(
    outside: Outside, new_page: Callable[..., Page], member: Newcomer, page: Page
) -> None:
    _tell(outside, member)
    listed = ReimbursementsPage(page)
    expect(listed.row("R-medicine")).to_be_visible()
    expect(listed.row("R-reversal")).to_be_visible()
    phone = new_page(java_script_enabled=False, viewport={"width": 360, "height": 780})
    HomePage(phone).open().sign_in(member.member_number, PASSWORD)
    phone.goto("/remboursements")
    _walk(phone)
    _walk(page)
    _follows(outside, member, page)


def _tell(outside: Outside, member: Newcomer) -> None:
    """Glasses in March; medicine in November, and what was taken back then of the year before."""

    def paid(claim_id: str, day: str, **changes: object) -> tuple[str, dict[str, object]]:
        payment = {"payment_id": f"P-{claim_id}", "paid_on": day, "payee": "member"}
        return "ClaimPaid", claim_paid(member.member_number) | {"claim_id": claim_id, "payment": payment} | changes

    reversal = {"reverses": "R-old", "reversed_on": "2026-12-02", "amount_cents": -1450, "reason": "Payé deux fois"}
    outside.publish_all(
        [
            paid("R-glasses", "2026-03-10", lines=[GLASSES], amount_cents=32000),
            paid("R-old", "2025-12-20"),
            ("ClaimReversed", reversal | {"member_number": member.member_number, "claim_id": "R-reversal"}),
            paid("R-medicine", "2026-11-20"),
        ]
    )


def _walk(page: Page) -> None:
    """Glasses are spent on in March alone, so three sums are the same: its month's, its domain's and the list's."""
    page.get_by_role("link", name="Mon année en chiffres").click()
    if page.get_by_role("heading", level=1).inner_text() != "Mon année 2026":
        page.get_by_role("navigation", name="Choisir une année").get_by_role("link", name="2026").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mon année 2026")
    money = page.get_by_role("region", name="Où va votre argent")
    expect(money).to_contain_text("En 2026, vos dépenses de santé ont été de 400,00")
    expect(money).to_contain_text("Des remboursements ont été annulés : 14,50")
    month = page.get_by_role("row", name=re.compile("mars 2026"))
    domain = page.get_by_role("row", name=re.compile("Optique"))
    expect(page.get_by_role("row", name=re.compile("décembre 2026"))).to_contain_text(f"{MINUS}14,50")
    for row, link in ((month, "mars 2026"), (domain, "Optique")):
        for cents in ("400,00", "0,18", "320,00", "79,82"):
            expect(row).to_contain_text(cents)
        row.get_by_role("link", name=link).click()
        listed = ReimbursementsPage(page)
        expect(listed.rows).to_have_count(1)
        expect(listed.row("R-glasses")).to_be_visible()
        for cents in ("320,00", "79,82", "400,00"):
            expect(listed.sums).to_contain_text(cents)
        assert not re.search("OPTI|2026-03", page.url)
        page.go_back()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _follows(outside: Outside, member: Newcomer, page: Page) -> None:
    """What counts nothing leaves the page alone, though its links are sealed anew; what counts shows."""
    expect_stream(page, "open")
    said = page.locator("[data-live-said]")
    claim = {"member_number": member.member_number, "claim_id": "R-new", "beneficiary_rank": 1}
    with page.expect_response(lambda answer: "/annee" in answer.url and "x-live" in answer.request.headers):
        outside.publish("ClaimReceived", claim | {"received_on": "2026-11-21"})
    page.evaluate("new Promise((done) => { live.later(done); })")
    expect(said).to_be_empty()
    payment = {"payment_id": "P-new", "paid_on": "2026-11-22", "payee": "member"}
    outside.publish("ClaimPaid", claim | {"lines": [GLASSES], "amount_cents": 32000, "payment": payment})
    expect(said).to_have_text("Les chiffres de votre année sont à jour.")
    expect(page.get_by_role("row", name=re.compile("Optique"))).to_contain_text("800,00")
