"""Home, and the steps up to a validated identifier."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class HomePage:
    """`/`"""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self) -> HomePage:
        self.page.goto("/")
        return self

    @property
    def identifier(self) -> Locator:
        return self.page.get_by_label("Identifiant", exact=True)

    @property
    def password(self) -> Locator:
        return self.page.get_by_label("Mot de passe", exact=True)

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    def sign_in(self, identifier: str, password: str) -> None:
        self.identifier.fill(identifier)
        self.password.fill(password)
        self.page.get_by_role("button", name="Se connecter", exact=True).click()


class OverviewPage:
    """`/accueil`, where a sign-in leads."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_contain_text("Bonjour")
        expect(page).to_have_url(re.compile("/accueil$"))

    @property
    def rows(self) -> Locator:
        """The latest reimbursements."""
        return self.page.get_by_role("region", name="Derniers remboursements").get_by_role("listitem")

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Rubriques").get_by_role("link", name=name).click()


class ChoicePage:
    """`/premiere-connexion`, first step."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_contain_text("Choisissez votre identifiant")

    @property
    def email(self) -> Locator:
        return self.page.get_by_role("radio", name=re.compile("Mon adresse mail"))

    @property
    def member_number(self) -> Locator:
        return self.page.get_by_role("radio", name=re.compile("Mon numéro d’adhérent"))

    @property
    def consents(self) -> Locator:
        return self.page.get_by_role("checkbox")

    @property
    def other_email(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("adresse mail", re.IGNORECASE))

    def type_password(self, password: str, again: str | None = None) -> None:
        self.page.get_by_label("Nouveau mot de passe", exact=True).fill(password)
        self.page.get_by_label("Le même, une seconde fois").fill(password if again is None else again)

    def submit(self) -> None:
        self.page.get_by_role("button", name="Valider").click()


class ConfirmPage:
    """`/premiere-connexion`, waiting for the mail."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")

    def send_again(self) -> None:
        self.page.get_by_role("button", name="Envoyer à nouveau le mail").click()

    def choose_otherwise(self) -> ChoicePage:
        self.page.get_by_role("link", name=re.compile("Choisir une autre adresse")).click()
        return ChoicePage(self.page)

    def go_on(self) -> None:
        self.page.get_by_role("link", name="J’ai validé mon adresse, continuer").click()


class ActivationPage:
    """`/activation?token=…`"""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, path: str) -> ActivationPage:
        self.page.goto(path)
        return self

    def press(self) -> None:
        self.page.get_by_role("button", name="Valider mon adresse mail").click()

    def expect_validated(self) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Votre nouvel identifiant est validé !")
        expect(
            self.page.get_by_text("Votre nouvel identifiant d’accès à l’espace Assuré a été activé.")
        ).to_be_visible()
