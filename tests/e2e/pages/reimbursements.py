"""Mes remboursements."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages.live import expect_stream


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

    @property
    def sums(self) -> Locator:
        return self.page.locator("#liste .sums")

    def filter(self, **typed: str) -> None:
        """Choose or type these, by the names of their fields, and have the list shown."""
        form = self.page.get_by_role("search")
        if form.locator("details").get_attribute("open") is None:
            form.locator("summary").click()
        for name, text in typed.items():
            field = form.locator(f'[name="{name}"]')
            if field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)
        form.get_by_role("button", name="Afficher").click()

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


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
