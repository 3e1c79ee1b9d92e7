"""Ma carte, and Mes décomptes."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.services.claims.paper import Paper


class CardPage:
    """`/carte`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Ma carte")

    @classmethod
    def open(cls, page: Page) -> CardPage:
        page.get_by_role("navigation", name="Rubriques").get_by_role("link", name="Ma carte").click()
        return cls(page)

    def labels(self) -> dict[str, str]:
        """What stands on the card, by its label."""
        pairs = self.page.locator(".tp-labels > div").all()
        return {one.locator("dt").inner_text(): _plain(one.locator("dd").inner_text()) for one in pairs}

    def people(self) -> list[str]:
        return [_plain(person) for person in self.page.locator(".tp-people").get_by_role("listitem").all_inner_texts()]

    def grid(self) -> dict[str, list[str]]:
        """The cells of each domain's row, a beneficiary each."""
        rows = self.page.locator(".tp-grid tbody tr").all()
        return {
            row.locator("th").inner_text().split()[0]: [_plain(cell) for cell in row.locator("td").all_inner_texts()]
            for row in rows
        }

    def download(self) -> tuple[str, Paper]:
        """The file's name and the file."""
        return _downloaded(self.page, self.page.get_by_role("link", name="Télécharger la carte (PDF)"))


class StatementsPage:
    """`/decomptes`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes décomptes")

    def row(self, payment_id: str) -> Locator:
        return self.page.locator(f'[data-payment="{payment_id}"]')

    def download(self, payment_id: str) -> tuple[str, Paper]:
        """The file's name and the file."""
        return _downloaded(self.page, self.row(payment_id).get_by_role("link"))


def download_statement(page: Page) -> tuple[str, Paper]:
    """From a reimbursement's page."""
    return _downloaded(page, page.get_by_role("link", name="Décompte (PDF)"))


def _downloaded(page: Page, link: Locator) -> tuple[str, Paper]:
    with page.expect_download() as download:
        link.click()
    return download.value.suggested_filename, Paper(Path(download.value.path()).read_bytes())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
