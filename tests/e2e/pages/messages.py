"""Mes messages."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class MessagesPage:
    """`/messages`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes messages")

    @property
    def threads(self) -> Locator:
        return self.page.locator("#fils").get_by_role("listitem")

    def write(self) -> WritingPage:
        self.page.get_by_role("link", name="Écrire au centre de gestion").click()
        return WritingPage(self.page)

    def read(self, subject: str) -> ThreadPage:
        self.page.get_by_role("link", name=subject).click()
        return ThreadPage(self.page, subject)


class WritingPage:
    """`/messages/nouveau`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Écrire au centre de gestion")

    @property
    def category(self) -> Locator:
        return self.page.get_by_label("Votre question porte sur")

    @property
    def subject(self) -> Locator:
        return self.page.get_by_label("Objet")

    @property
    def text(self) -> Locator:
        return self.page.get_by_label("Votre message")

    def send(self) -> None:
        self.page.get_by_role("button", name="Envoyer le message").click()


class ThreadPage:
    """`/messages/{thread_id}`, or the same beside the list."""

    def __init__(self, page: Page, subject: str) -> None:
        self.page = page
        expect(page.locator("[data-detail]").get_by_role("heading").first).to_have_text(subject)

    @property
    def messages(self) -> Locator:
        return self.page.locator("#fil").get_by_role("listitem")

    @property
    def text(self) -> Locator:
        return self.page.get_by_label("Votre réponse")

    @property
    def announced(self) -> Locator:
        return self.page.locator("[data-live-said]")

    def send(self) -> None:
        self.page.get_by_role("button", name="Envoyer la réponse").click()
