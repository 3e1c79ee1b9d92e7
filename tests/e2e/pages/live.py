"""The live stream of a page."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Page, expect


def expect_stream(page: Page, state: Literal["open", "closed"]) -> None:
    """The page's live stream stands, or does not."""
    expect(page.locator("[data-live]")).to_have_attribute("data-live-state", state)
