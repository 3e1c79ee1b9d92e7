"""« Mot de passe perdu », the page behind the mail's link, and the forms of a new password."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages.first_sign_in import HomePage


class LostPasswordPage:
    """`/mot-de-passe-perdu`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Réinitialisation mot de passe perdu")

    @classmethod
    def open(cls, page: Page) -> LostPasswordPage:
        """From the sign-in box."""
        HomePage(page).open()
        page.get_by_role("link", name="Mot de passe perdu ?").click()
        return cls(page)

    @property
    def robot(self) -> Locator:
        return self.page.get_by_role("checkbox", name="Je ne suis pas un robot")

    @property
    def checking(self) -> Locator:
        """What is said of the proof of work."""
        return self.page.get_by_role("status")

    def fill(self, identifier: str, nir: str) -> None:
        self.page.get_by_label("Identifiant *").fill(identifier)
        self.page.get_by_label("N° Sécurité sociale *").fill(nir)

    def send(self) -> None:
        self.page.get_by_role("button", name="Envoyer").click()

    def ask(self, identifier: str, nir: str) -> None:
        self.fill(identifier, nir)
        self.robot.check()
        self.send()

    def expect_asked(self) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Votre demande est bien arrivée")
        expect(self.page).to_have_url(re.compile("/mot-de-passe-perdu/demande$"))


class PasswordForm:
    """Wherever a new password is typed twice."""

    def __init__(self, page: Page, title: str) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text(title)

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    def save(self, password: str, *, again: str | None = None, current: tuple[str, str] | None = None) -> None:
        """`current`: label and value of the password in force, where that is asked for."""
        if current:
            self.page.get_by_label(current[0], exact=True).fill(current[1])
        self.page.get_by_label("Nouveau mot de passe", exact=True).fill(password)
        self.page.get_by_label("Le même, une seconde fois").fill(password if again is None else again)
        self.page.get_by_role("button", name=re.compile("^Enregistrer")).click()
