"""Ma carte and Mes décomptes: from what was announced on Kafka to the screen and to files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from shared import clock
from tests.e2e.conftest import screens, sign_in_newcomer
from tests.e2e.outside import PASSWORD, Newcomer, Outside, coverage_of
from tests.e2e.pages.card import CardPage, StatementsPage, download_statement
from tests.e2e.pages.first_sign_in import HomePage
from tests.e2e.pages.live import expect_stream
from tests.e2e.pages.reimbursements import ReimbursementsPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

EURO = "\N{NO-BREAK SPACE}€"


def test_the_card_is_shown_explained_and_downloaded(outside: Outside, member: Newcomer, page: Page) -> None:
    year = clock.now().year
    card = CardPage.open(page)
    _reload_until(page, "Période de validité")  # the contract reaches claims on a way of its own
    labels = card.labels()
    assert [labels[name] for name in ("Numéro d’adhérent", "N° AMC", "Type de convention", "CSR")] == [
        member.member_number,
        "0123456789",
        "SP",
        "01",
    ]
    assert labels["Période de validité"] == f"du 1er janvier {year} au 31 décembre {year}"
    assert labels["Contrat"] == "Confort · R contrat responsable"
    laure, hugo = card.people()
    assert laure.startswith("DUPONT Laure Rang 1 · né(e) le 12/05/1984 N° INSEE 2 84 05 75")
    assert hugo.startswith("DUPONT Hugo Rang 2 · né(e) le 02/03/2015")
    grid = card.grid()
    assert list(grid) == ["PHAR", "MED", "RLAX", "SAGE", "EXTE", "CSTE", "HOSP", "OPTI", "DESO", "DEPR", "AUDI", "DIV"]
    assert (grid["PHAR"], grid["OPTI"]) == (["SP 100/100/100"] * 2, ["SP/OC (1)"] * 2)
    expect(page.get_by_text("(1) Prise en charge sur demande")).to_be_visible()
    screens(page, "carte")

    name, paper = card.download()
    assert name == "carte-tiers-payant.pdf"
    text = paper.text()
    for words in (member.member_number, f"au 31 décembre {year}", "DUPONT Hugo", laure.partition("INSEE ")[2]):
        assert words in text

    renewal = {"member_number": member.member_number, "coverage": coverage_of(member.member_number, year + 1)}
    outside.publish("CoverageChanged", renewal)
    _reload_until(page, "Votre prochaine carte est prête")
    page.get_by_role("link", name="Voir la prochaine carte").click()
    assert CardPage(page).labels()["Période de validité"] == f"du 1er janvier {year + 1} au 31 décembre {year + 1}"
    assert f"du 1er janvier {year + 1}" in card.download()[1].text()


def test_every_payment_has_its_statement(outside: Outside, member: Newcomer, page: Page) -> None:
    data = outside.pay(member, payment={"payment_id": "P/2026-1", "paid_on": "2026-11-20", "payee": "member"})
    listed = ReimbursementsPage(page)
    expect(listed.row(data["claim_id"])).to_be_visible()
    page.get_by_role("link", name="Mes décomptes (PDF)").click()
    statements = StatementsPage(page)
    expect_stream(page, "open")
    expect(page.get_by_role("link", name="Mes remboursements").first).to_have_attribute("aria-current", "page")
    expect(statements.row("P/2026-1")).to_contain_text(f"14,50{EURO}")
    outside.pay(member, payment={"payment_id": "P/2026-1", "paid_on": "2026-11-20", "payee": "member"})
    expect(statements.row("P/2026-1")).to_contain_text(f"29,00{EURO}")  # without a reload
    expect(statements.row("P/2026-1")).to_contain_text("2 remboursements")
    screens(page, "decomptes")
    name, paper = statements.download("P/2026-1")
    assert name == "decompte-2026-11-20.pdf"
    assert "Total 100,00 € 100,00 € 67,00 € 29,00 € 4,00 €" in paper.text()

    page.goto("/remboursements")
    listed.open_claim(data["claim_id"])
    screens(page, "remboursement-decompte")
    assert download_statement(page)[1].text() == paper.text()


def test_nobody_reads_another_members_papers(outside: Outside, member: Newcomer, page: Page) -> None:
    other = f"{(int(member.member_number) + 1) % 10**8:08d}"
    stranger = Newcomer(other, "", None, "")
    outside.pay(stranger, payment={"payment_id": "P-foreign", "paid_on": "2026-11-20", "payee": "member"})
    mine = outside.pay(member)
    expect(ReimbursementsPage(page).row(mine["claim_id"])).to_be_visible()
    answer = page.goto("/decomptes/P-foreign")
    assert answer is not None
    assert answer.status == 404
    page.context.clear_cookies()
    page.goto("/carte.pdf")
    expect(page.get_by_text("Connectez-vous pour continuer.")).to_be_visible()


@pytest.mark.slow
def test_the_card_of_a_large_family_and_no_card_fit_a_phone(outside: Outside, new_page: Callable[..., Page]) -> None:
    newcomer = outside.enrol()
    page = new_page()
    sign_in_newcomer(page, newcomer)
    names = ("Laure", "Maximilien-Alexandre", "Hugo", "Inès", "Zoé")
    born = {"last_name": "Dupont-Delamarre", "birth_date": "2015-03-02", "nir": newcomer.nir13, "relation": "child"}
    family = [{"rank": rank, "first_name": name, **born} for rank, name in enumerate(names, 1)]
    outside.publish("MemberUpdated", {"member_number": newcomer.member_number, "beneficiaries": family})
    card = CardPage.open(page)
    _reload_until(page, "DUPONT-DELAMARRE Zoé")
    screens(page, "carte-famille")
    assert len(card.download()[1].pages()) == 1
    dark = new_page(color_scheme="dark")
    HomePage(dark).open().sign_in(newcomer.member_number, PASSWORD)
    CardPage.open(dark)
    screens(dark, "carte-sombre")
    dark.goto("/decomptes")
    expect(dark.get_by_text("Aucun décompte pour l’instant.")).to_be_visible()
    screens(dark, "decomptes-vide-sombre")
    outside.publish("MembershipEnded", {"member_number": newcomer.member_number, "ended_on": "2026-01-31"})
    page.goto("/carte")
    _reload_until(page, "Votre adhésion a pris fin le 31 janvier 2026.")
    screens(page, "carte-aucune")


def _reload_until(page: Page, text: str) -> None:
    """The card does not change under its reader's eyes: it is asked again."""
    for _ in range(100):
        page.reload()
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{text}: {page.locator('main').inner_text()}")
