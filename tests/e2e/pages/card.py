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
        return labels(self.page)

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


class FullScreenPage:
    """`/carte/plein-ecran`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Carte de tiers payant")
        self.turn = page.get_by_text("Tournez votre téléphone")
        self.enlarge = page.get_by_role("button", name="Agrandir")

    def rows(self) -> list[str]:
        """The grid as it is read: heads, then who and what, person by person."""
        return [_plain(row) for row in self.page.get_by_role("row").all_inner_texts()]

    def close(self) -> CardPage:
        self.page.get_by_role("link", name="Fermer").click()
        return CardPage(self.page)


class SharesPage:
    """`/carte/partages`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Partager avec un professionnel")
        self.code = page.get_by_role("img", name="Code QR du lien")
        self.copy = page.get_by_role("button", name="Copier le lien")

    def create(self) -> str:
        """Make the first link; its address."""
        self.page.get_by_role("button", name="Créer un lien").click()
        expect(self.page.get_by_text("Le lien est prêt")).to_be_visible()
        return self.page.get_by_label("Lien à envoyer").input_value()

    def stop(self) -> None:
        self.page.get_by_role("button", name="Arrêter le partage").click()
        expect(self.page.get_by_text("Le partage est arrêté")).to_be_visible()


class SharedCardPage:
    """`/carte-partagee/…`, once its button was pressed."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        page.get_by_role("button", name="Voir la carte").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Carte de tiers payant")

    def labels(self) -> dict[str, str]:
        """What stands on the card, by its label."""
        return labels(self.page)


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


def labels(page: Page) -> dict[str, str]:
    """What stands on a card, by its label."""
    pairs = page.locator(".tp-labels > div").all()
    return {one.locator("dt").inner_text(): _plain(one.locator("dd").inner_text()) for one in pairs}


def download_statement(page: Page) -> tuple[str, Paper]:
    """From a reimbursement's page."""
    return _downloaded(page, page.get_by_role("link", name="Décompte (PDF)"))


def _downloaded(page: Page, link: Locator) -> tuple[str, Paper]:
    with page.expect_download() as download:
        link.click()
    return download.value.suggested_filename, Paper(Path(download.value.path()).read_bytes())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
