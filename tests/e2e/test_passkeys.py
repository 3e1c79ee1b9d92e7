"""A passkey from its offer to its end, with Chromium's virtual authenticator as the member's device."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.outside import PASSWORD, Newcomer, Outside, eventually
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.identifier import IdentifierForm, PasswordAgain
from tests.e2e.pages.passkeys import AddPasskeyPage, PasskeysPage, VirtualAuthenticator

pytestmark = [pytest.mark.browser, pytest.mark.servers]

MAIL = "Une clé d’accès a été ajoutée à votre compte"


def test_a_passkey_is_offered_made_named_used_and_removed(member: Newcomer, outside: Outside, page: Page) -> None:
    device = VirtualAuthenticator(page)
    page.goto("/accueil")
    _offer(page).get_by_role("link", name="Ajouter une clé d’accès").click()
    PasswordAgain(page).confirm(PASSWORD)
    adding = AddPasskeyPage(page)
    expect(adding.name).to_have_value("Chrome sur Linux")
    adding.name.fill("Mon ordinateur")
    adding.create.click()
    listed = PasskeysPage(page)
    expect(page.get_by_text("Votre clé d’accès est prête.")).to_be_visible()
    expect(listed.rows).to_have_count(1)
    expect(listed.rows).to_contain_text("Mon ordinateur")
    expect(listed.rows).to_contain_text("Pas encore utilisée")
    listed.rename("Mon ordinateur", "Ordinateur du salon")
    eventually(lambda: [mail for mail in outside.mails(str(member.email)) if mail["Subject"] == MAIL], "no mail")

    page.get_by_role("link", name="Ajouter une clé d’accès").click()
    AddPasskeyPage(page).create.click()
    expect(page.get_by_role("alert")).to_have_text("Cet appareil a déjà une clé d’accès pour votre compte.")
    assert device.kept == 1
    _sign_out(page)

    page.goto("/remboursements")
    page.get_by_label("C’est mon appareil personnel").check()
    device.knows_its_owner(False)
    _sign_in_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("La clé d’accès n’a pas été utilisée.")
    device.knows_its_owner(True)
    _sign_in_button(page).click()
    expect(page).to_have_url(re.compile("/remboursements$"))
    assert [
        cookie["name"] for cookie in page.context.cookies() if cookie["expires"] > 0 and cookie["name"] == "session"
    ]
    page.goto("/accueil")
    expect(page.get_by_text("Connectez-vous plus simplement")).to_have_count(0)

    page.goto("/compte")
    page.get_by_role("link", name="Changer mon adresse mail").click()
    PasswordAgain(page)
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    IdentifierForm(page)
    listed = PasskeysPage.open(page)
    expect(listed.rows).to_contain_text("Utilisée aujourd’hui")
    listed.remove("Ordinateur du salon")
    expect(page.get_by_text("Vous n’avez pas encore de clé d’accès.")).to_be_visible()
    _sign_out(page)

    _sign_in_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Cette clé d’accès n’a pas été acceptée.")
    HomePage(page).sign_in(member.member_number, PASSWORD)
    OverviewPage(page)
    _offer(page).get_by_role("button", name="Plus tard").click()
    expect(_offer(page)).to_have_count(0)
    page.reload()
    OverviewPage(page)
    expect(page.get_by_text("Connectez-vous plus simplement")).to_have_count(0)
    page.goto("/compte/activite")
    for kind in ("Clé d’accès ajoutée", "Clé d’accès supprimée"):
        expect(page.get_by_text(kind)).to_have_count(1)


def _offer(page: Page) -> Locator:
    return page.get_by_role("region", name="Connectez-vous plus simplement")


def _sign_in_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Se connecter avec une clé d’accès")


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Se déconnecter").first.click()
    expect(HomePage(page).password).to_be_visible()
