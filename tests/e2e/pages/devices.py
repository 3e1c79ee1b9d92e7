"""Mes appareils, and the page behind the mail about a new one."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class DevicesPage:
    """`/compte/appareils`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes appareils")

    @classmethod
    def open(cls, page: Page) -> DevicesPage:
        """From « Mon compte »."""
        page.goto("/compte")
        page.get_by_role("link", name="Voir mes appareils").click()
        return cls(page)

    @property
    def rows(self) -> Locator:
        return self.page.locator("main").get_by_role("list").get_by_role("listitem")

    def sign_out(self, name: str) -> None:
        """Close the session of the device with that name."""
        self.page.get_by_role("button", name=re.compile(f"^Déconnecter {name}")).click()
        expect(self.page.get_by_text("L’appareil est déconnecté.")).to_be_visible()


class CloseDevicePage:
    """`/fermer-session?token=…`"""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Ce n’était pas vous\N{NO-BREAK SPACE}?")

    def press(self) -> None:
        self.page.get_by_role("button", name="Déconnecter cet appareil").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("L’appareil est déconnecté")
