"""Mes documents."""

from __future__ import annotations

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e.pages.live import expect_stream


class DocumentsPage:
    """`/documents`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes documents")

    @property
    def rows(self) -> Locator:
        return self.page.locator("#liste-documents").get_by_role("listitem")

    def wait_for_stream(self) -> None:
        """Until the live stream stands."""
        expect_stream(self.page, "open")

    def send_one(self) -> SendPage:
        self.page.get_by_role("link", name="Envoyer un").click()
        return SendPage(self.page)

    def open_first(self) -> None:
        """On a page of its own, where a wide screen would show it beside the list."""
        self.page.goto(str(self.rows.first.get_by_role("link").get_attribute("href")))


class SendPage:
    """`/documents/envoyer`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Envoyer un document")

    def fill(self, kind: str, whom: str, file: FilePayload | None, **typed: str) -> None:
        """`typed`: by label."""
        self.page.get_by_role("radio", name=kind).check()
        self.page.get_by_role("radio", name=whom).check()
        for label, text in typed.items():
            self.page.get_by_label(label.replace("_", " ")).fill(text)
        if file:
            self.page.get_by_label("Le fichier").set_input_files(file)

    def send(self) -> None:
        self.page.get_by_role("button", name="Envoyer le document").click()

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert").first
