"""A reader without a mouse: every step of the focus is looked at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect

_FOCUS: Final = Path(__file__).with_suffix(".js").read_text()
_MISSED: Final = Path(__file__).with_name("missed.js").read_text()
_TO_THE_START: Final = """() => {
  if (document.activeElement === document.body) return;
  const start = document.createElement("span");
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus();
  start.remove();
}"""
"""What a page says first has the focus (an error, say): a walk begins before everything."""
MOST_STEPS: Final = 120


class Keyboard:
    """The keys of one page. What is wrong with a focus fails at once."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tab(self) -> None:
        """One step on."""
        self.page.keyboard.press("Tab")
        self._looked_at()

    def back(self) -> None:
        """One step back (Shift+Tab)."""
        self.page.keyboard.press("Shift+Tab")
        self._looked_at()

    def to(self, wanted: Locator) -> None:
        """Step on until `wanted` has the focus."""
        expect(wanted).to_be_attached()
        for _ in range(MOST_STEPS):
            if wanted.evaluate("one => one === document.activeElement"):
                return
            self.tab()
        raise AssertionError(f"{wanted} is never reached")

    def press(self, wanted: Locator, key: str = "Enter") -> None:
        """Step to it and press."""
        self.to(wanted)
        self.page.keyboard.press(key)

    def type(self, wanted: Locator, text: str) -> None:
        """Step to it and type."""
        self.to(wanted)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)

    def choose(self, wanted: Locator) -> None:
        """One of a group of radio buttons: step into the group, then by the arrows."""
        name = wanted.get_attribute("name")
        group = self.page.locator(f'input[name="{name}"]')
        for _ in range(MOST_STEPS):
            if self.page.evaluate("document.activeElement.name") == name:
                break
            self.tab()
        self.page.keyboard.press("Space")
        for _ in range(group.count()):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
            self._looked_at()
        raise AssertionError(f"{wanted} is never chosen")

    def open_tab(self, name: str) -> None:
        """One of the portal's parts; on a phone the menu is opened first, if there is one."""
        menu = self.page.locator("header summary")
        if menu.count() and menu.is_visible():
            self.press(menu)
        self.press(self.page.get_by_role("navigation", name=re.compile("Rubriques")).get_by_role("link", name=name))

    def walk(self) -> None:
        """All through the page: everything that can be used is reached, in its order, and nothing holds the focus."""
        self.page.evaluate(_TO_THE_START)
        for _ in range(MOST_STEPS):
            self.page.keyboard.press("Tab")
            if not self._looked_at(walking=True):
                break
        else:
            raise AssertionError("the focus never leaves the page")
        missed = self.page.evaluate(_MISSED)
        assert not missed, missed

    def _looked_at(self, *, walking: bool = False) -> bool:
        """Whether anything of the page has the focus; it must be seen."""
        found: dict[str, Any] = self.page.evaluate(_FOCUS, walking)
        assert not found["faults"], found["faults"]
        return bool(found["inside"])


def of(who: str) -> pytest.MarkDecorator:
    """The member at the keyboard."""
    return pytest.mark.parametrize("keyboard", [who], indirect=True)


def expect_told(page: Page) -> None:
    """An error is read out at once, and reading goes on from it."""
    alert = page.locator("main").get_by_role("alert").first
    expect(alert).to_be_focused()
