"""Mes remboursements, filtered: while claims arrive, while one is opened and left, as files, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import sign_in_newcomer
from tests.e2e.outside import Newcomer, Outside, eventually, line
from tests.e2e.pages.reimbursements import ReimbursementsPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

GLASSES = {"lines": [line(1, "LUN", "Verres progressifs", "OPTI", spent=20000, statutory=9, complementary=10000)]}
FOUND = {"amount_cents": 10000, **GLASSES}


def test_filters_hold_while_claims_arrive_and_one_is_opened_and_left(
    outside: Outside, member: Newcomer, page: Page
) -> None:
    outside.pay_many(member, 2)
    glasses = outside.pay(member, claim_id="R-lunettes", **FOUND)
    listed = ReimbursementsPage(page)
    expect(listed.rows).to_have_count(3)
    listed.mark()
    listed.filter(recherche="VERRÈS", statut="paid")
    expect(page).to_have_url(re.compile(r"/remboursements\?filtre="))
    assert "verr" not in page.url.lower()
    expect(listed.rows).to_have_count(1)
    expect(listed.sums).to_contain_text("1 remboursement ")
    expect(listed.row("R-lunettes")).to_be_visible()
    expect(page.locator("#liste")).to_be_focused()

    outside.pay(member, claim_id="R-pharmacie")  # the filters leave it out
    outside.pay(member, claim_id="R-verres", **FOUND)
    expect(listed.row("R-verres")).to_be_visible()
    expect(listed.sums).to_contain_text("2 remboursements · 200,00")
    expect(listed.row("R-pharmacie")).to_have_count(0)
    expect(listed.offer).to_be_hidden()
    outside.publish("ClaimReversed", reversal(glasses))  # it is no longer « paid »
    expect(listed.row("R-lunettes")).to_have_count(0)
    expect(listed.sums).to_contain_text("1 remboursement · 100,00")
    listed.expect_not_reloaded()

    page.set_viewport_size({"width": 360, "height": 800})
    listed.row("R-verres").get_by_role("link").click()
    page.locator("main").get_by_role("link", name="Mes remboursements").click()
    expect(listed.rows).to_have_count(1)
    expect(page.get_by_label("Rechercher un professionnel")).to_have_value("VERRÈS")
    listed.row("R-verres").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Verres progressifs")
    page.go_back()
    expect(listed.rows).to_have_count(1)

    with page.expect_download() as download:
        page.get_by_role("link", name="Cette liste pour un tableur").click()
    assert re.fullmatch(r"remboursements-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert [cells.split(";")[12] for cells in text.splitlines()] == ['"Référence"', '"R-verres"']

    page.get_by_role("link", name="Effacer les filtres").click()
    expect(listed.rows).to_have_count(6)


def test_a_filtered_list_works_without_javascript_and_its_pages_stay_filtered(
    outside: Outside, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol()
    page = new_page(java_script_enabled=False)
    sign_in_newcomer(page, newcomer)
    outside.pay_many(newcomer, 21)
    outside.pay(newcomer, claim_id="R-hors", beneficiary_rank=1)
    eventually(lambda: bool(page.reload()) and page.get_by_text("22 remboursements").count() == 1, "not all there")
    listed = ReimbursementsPage(page)
    listed.filter(pour="2")
    expect(listed.sums).to_contain_text("21 remboursements")
    page.get_by_role("link", name="Plus anciens").click()
    expect(listed.rows).to_have_count(1)
    listed.row("R-00").get_by_role("link").click()
    page.locator("main").get_by_role("link", name="Mes remboursements").click()
    expect(listed.rows).to_have_count(1)
    page.get_by_role("link", name="Les plus récents").click()
    expect(listed.rows).to_have_count(20)
    expect(listed.row("R-hors")).to_have_count(0)
    listed.filter(du="2026-12-01", au="2026-01-01")
    expect(page.get_by_role("alert")).to_contain_text("La date de fin est avant la date de début.")
    expect(page.get_by_label("Pour qui")).to_have_value("2")


def reversal(paid: dict[str, Any]) -> dict[str, Any]:
    return {
        "claim_id": f"V-{paid['claim_id']}",
        "member_number": paid["member_number"],
        "reverses": paid["claim_id"],
        "reversed_on": "2026-11-21",
        "amount_cents": -paid["amount_cents"],
        "reason": "Payé deux fois",
    }
