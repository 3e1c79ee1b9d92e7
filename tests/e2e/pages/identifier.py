"""Another address or identifier from « Mon compte », and the page that undoes it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class AccountPage:
    """`/compte`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")

    @property
    def waiting(self) -> Locator:
        """What is said of an address that awaits its confirmation."""
        return self.page.locator(".notice", has_text="Confirmez votre nouvelle adresse")

    def fact(self, name: str) -> Locator:
        term = self.page.locator("dt", has_text=re.compile(f"^{re.escape(name)}$"))
        return self.page.locator("dl.facts > div").filter(has=term).locator("dd")


class PasswordAgain:
    """`/compte/confirmer`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez que c’est bien vous")

    def confirm(self, password: str) -> None:
        self.page.get_by_label("Mot de passe actuel", exact=True).fill(password)
        self.page.get_by_role("button", name="Continuer").click()


class IdentifierForm:
    """`/compte/identifiant`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Changer mon adresse mail ou mon identifiant")

    @property
    def email(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("adresse mail", re.IGNORECASE))

    @property
    def member_number(self) -> Locator:
        return self.page.get_by_role("radio", name=re.compile("Mon numéro d’adhérent"))

    def submit(self) -> None:
        self.page.get_by_role("button", name="Valider").click()


class UndoPage:
    """`/annuler-changement?token=…`"""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Annulez le changement d’adresse mail")

    def press(self) -> None:
        self.page.get_by_role("button", name="Rétablir mon ancienne adresse").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Votre ancienne adresse est rétablie")
