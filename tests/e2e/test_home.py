"""The front door and the page behind it: spaces, the cookie notice, the latest of each, live."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import screens
from tests.e2e.outside import PASSWORD, Newcomer, Outside
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.live import expect_stream
from tests.e2e.pages.messages import MessagesPage, ThreadPage
from tests.stack import RunningPortal

pytestmark = pytest.mark.browser

SUBJECT = "Ma carte à Lyon"


def test_the_spaces_are_offered_and_the_cookie_notice_is_put_away_once(page: Page) -> None:
    home = HomePage(page).open()
    expect(page.get_by_text("Nous vous invitons à sélectionner l’espace de votre choix.")).to_be_visible()
    other = page.get_by_role("link", name="Espace Entreprise")
    expect(other).to_have_attribute("href", "https://entreprise.example/")
    notice = page.get_by_role("region", name="Ce site Web utilise des cookies de session.")
    expect(notice).to_contain_text("Nous utilisons les cookies afin de permettre la navigation sur notre site.")
    screens(page, "accueil-espaces")
    page.goto("/?suite=%2Fremboursements")
    notice.get_by_role("button", name="J’ai compris").click()
    expect(home.identifier).to_be_visible()
    expect(page.get_by_text("Vous reviendrez ensuite à la page que vous demandiez.")).to_be_visible()
    expect(notice).to_have_count(0)
    home.open()
    expect(notice).to_have_count(0)


def test_the_page_after_sign_in_shows_the_latest_and_what_arrives(
    outside: Outside, new_page: Callable[..., Page], member: Newcomer
) -> None:
    page = new_page(color_scheme="dark")
    HomePage(page).open().sign_in(member.member_number, PASSWORD)
    overview = OverviewPage(page)
    expect(page.get_by_text("Aucun remboursement pour l’instant.")).to_be_visible()
    expect_stream(page, "open")
    page.evaluate("window.notReloaded = true")
    outside.pay_many(member, 4)
    expect(overview.rows).to_have_count(3)
    expect(page.locator("[data-live-said]")).to_have_text("Il y a du nouveau sur votre page d’accueil.")
    assert page.evaluate("window.notReloaded") is True
    _ask(new_page(), member)
    [asked] = outside.messages(member, 1)
    expect(page.get_by_text("En attente de réponse")).to_be_visible()
    outside.answer(asked, "Bonjour, oui.")
    page.get_by_role("region", name="À faire").get_by_role("link", name="Une réponse vous attend").click()
    ThreadPage(page, SUBJECT)
    page.go_back()
    expect(page.get_by_text("Réponse lue")).to_be_visible()
    expect(page.get_by_role("region", name="À faire")).to_have_count(0)
    screens(page, "apercu-sombre")


def test_what_may_be_mailed_is_chosen_on_the_account_page(member: Newcomer, page: Page) -> None:
    page.goto("/compte")
    statements = page.get_by_role("checkbox", name="recevoir vos décomptes à chaque paiement")
    information = page.get_by_role("checkbox", name="recevoir des informations de gestion")
    expect(statements).not_to_be_checked()
    statements.check()
    page.get_by_role("button", name="Enregistrer mon choix").click()
    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
    screens(page, "compte-mails")
    page.goto("/compte")
    expect(statements).to_be_checked()
    expect(information).not_to_be_checked()


def _ask(page: Page, member: Newcomer) -> None:
    """On another device, a question to the management centre."""
    HomePage(page).open().sign_in(member.member_number, PASSWORD)
    OverviewPage(page).open_tab("Mes messages")
    writing = MessagesPage(page).write()
    writing.category.select_option("Une autre question")
    writing.subject.fill(SUBJECT)
    writing.text.fill("Bonjour, est-ce que ma carte est valable à Lyon ?")
    writing.send()
    ThreadPage(page, SUBJECT)
    page.close()  # an open thread reads its answers as they come


def test_a_service_that_is_away_leaves_its_part_out_and_not_the_page(
    portal: RunningPortal, member: Newcomer, page: Page
) -> None:
    portal.kill("claims")
    try:
        page.goto("/accueil")
        OverviewPage(page)
        expect(page.get_by_text("Cette partie n’est pas disponible pour l’instant.")).to_have_count(1)
        screens(page, "apercu-sans-remboursements")
    finally:
        portal.start("claims")
    page.reload()
    expect(page.get_by_text("Aucun remboursement pour l’instant.")).to_be_visible()
