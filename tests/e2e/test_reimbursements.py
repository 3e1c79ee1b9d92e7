"""Mes remboursements: every state of a claim, paging, and the live update when things are not simple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import screens, sign_in_newcomer
from tests.e2e.outside import PASSWORD, Newcomer, Outside, claim_paid, enrolment, eventually, line
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.live import expect_stream
from tests.e2e.pages.reimbursements import ReimbursementPage, ReimbursementsPage
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.mark.slow
def test_every_state_of_a_claim_says_what_it_means(outside: Outside, new_page: Callable[..., Page]) -> None:
    newcomer = outside.enrol()
    ids = _one_of_each(outside, newcomer)
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        if scheme == "light":
            sign_in_newcomer(page, newcomer)
        else:
            HomePage(page).open().sign_in(newcomer.member_number, PASSWORD)
            OverviewPage(page).open_tab("Mes remboursements")
        listed = ReimbursementsPage(page)
        expect(listed.rows).to_have_count(6)
        assert [heading.inner_text().lower() for heading in page.get_by_role("heading", level=2).all()] == [
            "novembre 2026",
            "octobre 2026",
        ]
        for name, words in {
            "refused": ("Refusé", "Pourquoi et que faire ?"),
            "received": ("En cours de traitement",),
            "provider": ("Payé", "reste à charge"),
            "reversed": ("Annulé",),
            "reversal": ("Annulation", "\N{MINUS SIGN}14,50\N{NO-BREAK SPACE}€"),
            "deducted": ("Payé", "reste à charge", "2,00\N{NO-BREAK SPACE}€"),
        }.items():
            for word in words:
                expect(listed.row(ids[name])).to_contain_text(word)
        screens(page, f"remboursements-{scheme}")
        for name, said in {
            "refused": "Il manque l’ordonnance.",
            "received": "Elle est en cours de traitement",
            "provider": "Payé directement à Pharmacie du Parc",
            "reversed": "Ce remboursement a été annulé le 21 novembre 2026.",
            "reversal": "Voir le remboursement annulé",
            "deducted": "Une retenue de 2,00\N{NO-BREAK SPACE}€ est comprise",
        }.items():
            page.goto(f"/remboursements/{ids[name]}")
            expect(page.locator("main")).to_contain_text(said)
            screens(page, f"remboursement-{name}-{scheme}")


def test_the_list_is_paged(outside: Outside, member: Newcomer, page: Page) -> None:
    ids = outside.pay_many(member, 21)
    listed = ReimbursementsPage(page)
    expect(listed.row(max(ids))).to_be_visible()
    page.reload()
    expect(listed.rows).to_have_count(20)
    page.get_by_role("link", name="Plus anciens").click()
    listed.wait_for_stream()
    page.wait_for_timeout(1500)  # the stream repeats the last minute: nothing of that is new
    expect(listed.rows).to_have_count(1)
    expect(listed.offer).to_be_hidden()
    expect(listed.row(min(ids))).to_be_visible()
    outside.pay(member, claim_id="R-90")
    expect(listed.offer).to_have_text("1 nouveau remboursement")
    listed.offer.click()
    expect(listed.row("R-90")).to_be_visible()
    listed.wait_for_stream()
    page.wait_for_timeout(1500)
    expect(listed.rows).to_have_count(20)


def test_a_list_under_a_readers_eyes_does_not_move(outside: Outside, member: Newcomer, page: Page) -> None:
    outside.pay_many(member, 12)
    listed = ReimbursementsPage(page)
    expect(listed.rows).to_have_count(12)
    page.reload()
    listed.wait_for_stream()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    listed.mark()
    reading = _top(listed.row("R-00"))
    outside.pay(member, claim_id="R-50")
    expect(listed.offer).to_have_text("1 nouveau remboursement")
    expect(listed.rows).to_have_count(12)
    assert _top(listed.row("R-00")) == reading
    outside.pay(member, claim_id="R-51")
    expect(listed.offer).to_have_text("2 nouveaux remboursements")
    listed.offer.click()
    expect(listed.rows).to_have_count(14)
    expect(listed.rows.first).to_contain_text("Pharmacie")
    expect(listed.row("R-51")).to_be_in_viewport()
    expect(listed.offer).to_be_hidden()
    listed.expect_not_reloaded()


def test_what_arrives_is_announced_and_what_changes_is_replaced(outside: Outside, member: Newcomer, page: Page) -> None:
    listed = ReimbursementsPage(page)
    listed.wait_for_stream()
    claim = {"claim_id": "R-1", "member_number": member.member_number, "beneficiary_rank": 1}
    outside.publish("ClaimReceived", claim | {"received_on": "2026-11-18", "label": "Lunettes"})
    expect(listed.announced).to_contain_text("Nouveau remboursement : 18 nov. Lunettes · Laure En cours de traitement")
    listed.mark()
    outside.pay(member, claim_id="R-1")
    expect(listed.row("R-1")).to_contain_text("Payé")
    expect(listed.rows).to_have_count(1)
    listed.expect_not_reloaded()


def test_an_open_reimbursement_follows_its_claim(outside: Outside, member: Newcomer, page: Page) -> None:
    data = outside.pay(member)
    expect(ReimbursementsPage(page).row(data["claim_id"])).to_be_visible()
    ReimbursementsPage(page).open_claim(data["claim_id"])
    expect_stream(page, "open")
    page.evaluate("window.notReloaded = true")
    outside.publish("ClaimReversed", _reversal(data, "V-9"))
    expect(page.get_by_text("Ce remboursement a été annulé le 21 novembre 2026.")).to_be_visible()
    assert page.evaluate("window.notReloaded") is True


def test_the_stream_is_open_in_the_visible_tab_only(outside: Outside, member: Newcomer, page: Page) -> None:
    listed = ReimbursementsPage(page)
    listed.wait_for_stream()
    _show(page, visible=False)
    expect_stream(page, "closed")
    data = outside.pay(member)
    page.wait_for_timeout(1500)
    expect(listed.rows).to_have_count(0)
    _show(page, visible=True)
    expect(listed.row(data["claim_id"])).to_be_visible()  # what happened meanwhile is caught up


@pytest.mark.slow
def test_a_service_that_went_away_is_said_and_caught_up_with(
    outside: Outside, member: Newcomer, page: Page, portal: RunningPortal
) -> None:
    listed = ReimbursementsPage(page)
    listed.wait_for_stream()
    listed.mark()
    portal.stop("gateway")
    lost = page.get_by_text("La mise à jour en direct est interrompue.")
    expect(lost).to_be_visible()
    data = outside.pay(member)
    portal.start("gateway")
    expect(listed.row(data["claim_id"])).to_be_visible(timeout=40_000)
    expect(lost).to_be_hidden()

    portal.stop("claims")
    page.goto("/remboursements")
    expect(page.get_by_role("heading", level=1)).to_have_text("Le service est momentanément indisponible")
    screens(page, "erreur-503")
    portal.start("claims")
    page.get_by_role("link", name="Réessayer").click()
    expect(ReimbursementsPage(page).row(data["claim_id"])).to_be_visible()


def test_pages_work_without_javascript(outside: Outside, new_page: Callable[..., Page]) -> None:
    newcomer = outside.enrol()
    page = new_page(java_script_enabled=False)
    sign_in_newcomer(page, newcomer)
    data = outside.pay(newcomer)
    for _ in range(40):
        page.reload()
        if page.locator(f'[data-claim="{data["claim_id"]}"]').count():
            break
        page.wait_for_timeout(250)
    ReimbursementsPage(page).open_claim(data["claim_id"])
    assert ReimbursementPage(page).left_to_pay() == "2,00 €"
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("button", name="Se connecter", exact=True)).to_be_visible()


def test_claims_told_before_their_member_and_their_beneficiary_wait_for_both(outside: Outside, page: Page) -> None:
    """Told before the enrolment, for a third beneficiary whom nobody has told of; one with as many lines as may be."""
    enrolled = enrolment()
    whose = claim_paid(enrolled["member_number"]) | {"beneficiary_rank": 3}
    acts = [line(n, "G", f"Acte {n}", "MED", spent=300, statutory=200, complementary=100) for n in range(1, 501)]
    outside.publish("ClaimPaid", whose | {"claim_id": "R-1"})
    outside.publish("ClaimPaid", whose | {"claim_id": "R-500", "lines": acts, "amount_cents": 50_000})
    outside.publish("MemberEnrolled", enrolled)
    password = outside.letter_password(enrolled["member_number"])
    sign_in_newcomer(page, Newcomer(enrolled["member_number"], enrolled["nir"], enrolled["email"], password))
    row = ReimbursementsPage(page).row("R-1")
    expect(row).to_contain_text("Pharmacie 65 % · Bénéficiaire n° 3")

    outside.publish(
        "MemberUpdated",
        {
            "member_number": enrolled["member_number"],
            "beneficiaries": [
                *enrolled["beneficiaries"],
                enrolled["beneficiaries"][1] | {"rank": 3, "first_name": "Zoé"},
            ],
        },
    )
    eventually(lambda: bool(page.reload()) and "Zoé" in row.inner_text(), "the name is told and not shown")
    page.goto("/remboursements/R-500")
    expect(page.get_by_role("heading", level=1)).to_have_text("Acte 1, Zoé")
    expect(page.locator("table.lines tbody tr")).to_have_count(500)
    assert ReimbursementPage(page).left_to_pay() == "0,00 €"


def test_an_address_that_does_not_exist_is_a_page(member: Newcomer, page: Page) -> None:
    for path in ("/nulle-part", "/remboursements/R-de-quelqu-un-d-autre", "/metrics"):
        answer = page.goto(path)
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("Cette page n’existe pas")
        expect(page.locator("code")).to_have_text(answer.headers["x-request-id"])
    screens(page, "erreur-404")


def _top(row: Locator) -> int:
    """Where it stands in the window, in whole pixels."""
    box = row.bounding_box()
    assert box
    return round(box["y"])


def _show(page: Page, *, visible: bool) -> None:
    """Chromium without a screen never hides a tab: the page is told so."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        not visible,
    )


def _reversal(paid: dict[str, Any], claim_id: str) -> dict[str, Any]:
    return {
        "claim_id": claim_id,
        "member_number": paid["member_number"],
        "reverses": paid["claim_id"],
        "reversed_on": "2026-11-21",
        "amount_cents": -paid["amount_cents"],
        "reason": "Payé deux fois",
    }


def _one_of_each(outside: Outside, newcomer: Newcomer) -> dict[str, str]:
    """A claim in each state; answers their ids by state."""
    whose = {"member_number": newcomer.member_number, "beneficiary_rank": 1}
    outside.publish("ClaimReceived", whose | {"claim_id": "R-1", "received_on": "2026-11-22", "label": "Lunettes"})
    outside.publish(
        "ClaimRefused",
        whose
        | {
            "claim_id": "R-2",
            "refused_on": "2026-11-19",
            "reason_code": "missing_prescription",
            "reason": "Il manque l’ordonnance.",
            "what_to_do": "Envoyez-nous l’ordonnance du médecin : nous reprendrons votre demande aussitôt.",
        },
    )
    paid = {"payment_id": "P-1", "paid_on": "2026-10-30", "payee": "provider", "payee_name": "Pharmacie du Parc"}
    outside.pay(newcomer, claim_id="R-3", payment=paid)
    twice = outside.pay(newcomer, claim_id="R-4")
    outside.publish("ClaimReversed", _reversal(twice, "V-4"))
    lines = [
        line(1, "G", "Consultation généraliste", "MED", spent=123450, statutory=122000, complementary=1450),
        line(2, "PF", "Participation forfaitaire", "MED", spent=0, statutory=-200, complementary=0),
    ]
    outside.pay(newcomer, claim_id="R-5", lines=lines)
    return {
        "received": "R-1",
        "refused": "R-2",
        "provider": "R-3",
        "reversed": "R-4",
        "reversal": "V-4",
        "deducted": "R-5",
    }
