"""What a member does about who they are, without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.gallery.cast import EMPTY, FULL, Cast
from tests.e2e.pages.devices import DevicesPage
from tests.e2e.pages.first_sign_in import HomePage
from tests.e2e.pages.identifier import AccountPage, IdentifierForm, PasswordAgain
from tests.e2e.pages.keyboard import Keyboard, expect_told, of
from tests.e2e.pages.lost_password import LostPasswordPage

pytestmark = pytest.mark.browser


def test_a_lost_password(keyboard: Keyboard, cast: Cast) -> None:
    page = keyboard.page
    HomePage(page).open()
    keyboard.press(page.get_by_role("link", name="Mot de passe perdu ?"))
    lost = LostPasswordPage(page)
    keyboard.press(page.get_by_role("button", name="Envoyer"))
    expect_told(page)
    keyboard.type(page.get_by_label("Identifiant *"), cast.credentials[EMPTY][0])
    keyboard.type(page.get_by_label("N° Sécurité sociale *"), cast.members[EMPTY].nir_on_the_card)
    keyboard.press(lost.robot, "Space")
    expect(lost.checking).to_contain_text("Vérification terminée")
    keyboard.press(page.get_by_role("button", name="Envoyer"))
    lost.expect_asked()


@of(EMPTY)
def test_another_identifier_after_the_password_was_asked_again(keyboard: Keyboard, cast: Cast) -> None:
    page = keyboard.page
    page.goto("/compte")
    keyboard.press(page.get_by_role("link", name="Changer mon adresse mail"))
    PasswordAgain(page)
    keyboard.press(page.get_by_role("button", name="Continuer"))
    expect_told(page)
    keyboard.type(page.get_by_label("Mot de passe actuel", exact=True), cast.credentials[EMPTY][1])
    page.keyboard.press("Enter")
    form = IdentifierForm(page)
    keyboard.type(form.email, "pas une adresse")
    page.keyboard.press("Enter")
    expect_told(page)
    keyboard.press(page.get_by_role("link", name="Annuler"))
    AccountPage(page)


@of(FULL)
def test_another_device_is_signed_out(keyboard: Keyboard, cast: Cast) -> None:
    cast.visitor(FULL)
    page = keyboard.page
    page.goto("/compte")
    keyboard.press(page.get_by_role("link", name="Voir mes appareils"))
    before = DevicesPage(page).rows.count()
    keyboard.press(page.get_by_role("button", name=re.compile("^Déconnecter ")).first)
    expect(page.get_by_text("L’appareil est déconnecté.")).to_be_visible()
    expect(DevicesPage(page).rows).to_have_count(before - 1)
