"""The code after the password, and « Validation en deux étapes »."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class CodePage:
    """`/connexion/code`"""

    def __init__(self, page: Page, *, recovery: bool = False) -> None:
        self.page = page
        title = "Saisissez un code de secours" if recovery else "Saisissez votre code de validation"
        expect(page.get_by_role("heading", level=1)).to_have_text(title)

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    def show(self, code: str) -> None:
        self.page.locator("#code").fill(code)
        self.page.get_by_role("button", name="Valider").click()

    def with_a_recovery_code(self) -> CodePage:
        self.page.get_by_role("button", name="Utiliser un code de secours").click()
        return CodePage(self.page, recovery=True)


class TwoStepsPage:
    """`/compte/deux-etapes`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Validation en deux étapes")

    def expect_state(self, state: str) -> None:
        expect(self.page.locator("main .status")).to_have_text(state)

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).click()


class SetupPage:
    """`/compte/deux-etapes/activer`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Associez votre application")

    def secret(self) -> str:
        """As it is typed into an app."""
        self.page.get_by_text("Je ne peux pas photographier le code").click()
        return self.page.locator(".secret-key").inner_text().replace(" ", "").replace("\n", "")

    def confirm(self, code: str) -> list[str]:
        """With the app's first code; the recovery codes."""
        self.page.get_by_label("Code à 6 chiffres").fill(code)
        self.page.get_by_role("button", name="Activer").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("La validation en deux étapes est activée")
        return self.page.locator(".recovery-codes code").all_inner_texts()
