"""The portal's pages as a member sees them: what can be done there, found by what is written there."""

from __future__ import annotations

import re
from typing import Literal

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
        self.page.get_by_role("button", name="Se connecter").click()


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


class ReimbursementsPage:
    """`/remboursements`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes remboursements")

    @property
    def rows(self) -> Locator:
        return self.page.locator("#liste").get_by_role("listitem")

    def row(self, claim_id: str) -> Locator:
        return self.page.locator(f'#liste [data-claim="{claim_id}"]')

    @property
    def announced(self) -> Locator:
        return self.page.locator("[data-live-said]")

    @property
    def offer(self) -> Locator:
        return self.page.locator(".live-new").get_by_role("link")

    def wait_for_stream(self) -> None:
        """Until the live stream stands."""
        expect_stream(self.page, "open")

    def mark(self) -> None:
        """Leave a mark on the document that a reload would wipe out."""
        self.page.evaluate("window.notReloaded = true")

    def expect_not_reloaded(self) -> None:
        assert self.page.evaluate("window.notReloaded") is True

    def open_claim(self, claim_id: str) -> ReimbursementPage:
        self.row(claim_id).get_by_role("link").click()
        return ReimbursementPage(self.page)


class ReimbursementPage:
    """`/remboursements/{claim_id}`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", name="Ce qui reste à votre charge")).to_be_visible()

    def left_to_pay(self) -> str:
        """The last line of the sum."""
        return _plain(self.page.locator("table.sum tfoot td").inner_text())

    def lines(self) -> list[list[str]]:
        """The lines' cells: act, then amounts."""
        rows = self.page.locator("table.lines tbody tr").all()
        return [[_plain(cell) for cell in row.locator("th, td").all_inner_texts()] for row in rows]


def expect_stream(page: Page, state: Literal["open", "closed"]) -> None:
    """The page's live stream stands, or does not."""
    expect(page.locator("[data-live]")).to_have_attribute("data-live-state", state)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
