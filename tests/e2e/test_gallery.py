"""Every page and state, held to what all pages are held to; in English on a computer: `test_gallery_english.py`.

The slow part takes pictures of all of them, in both languages, light and dark, into `.screens/<language>-<scheme>/`,
and looks at them enlarged. Pictures alone, of some states, in one of four looks:

    .venv/bin/python -m pytest tests/e2e/test_gallery.py -k "pictures and fr-dark and carte"
"""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import SCREENS, WIDTHS
from tests.e2e.gallery import measures
from tests.e2e.gallery.rules import PHONE, expect_kept, expect_none
from tests.e2e.gallery.states import STATES, State
from tests.e2e.gallery.visits import HEIGHT, Gallery, View

pytestmark = pytest.mark.browser

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = tuple(View(language, scheme=scheme) for language in ("fr", "en") for scheme in SCHEMES)
SPACING = """
  * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
  p { margin-bottom: 2em !important; }
"""
"""WCAG 1.4.12: a reader's own spacing."""
PLAIN = View("fr", 1280, bypass_csp=True)
"""A browser in which a reader's own style can be put upon the portal's."""

each_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


@each_state
def test_a_page_keeps_the_rules_on_a_phone(gallery: Gallery, state: State) -> None:
    expect_kept(gallery, state, PHONE, whole=True)


@pytest.mark.slow
@pytest.mark.parametrize("view", LOOKS, ids=["fr-light", "fr-dark", "en-light", "en-dark"])
@each_state
def test_pictures_and_the_dark_colours(gallery: Gallery, state: State, view: View) -> None:
    folder = SCREENS / f"{view.language}-{view.scheme}"
    folder.mkdir(parents=True, exist_ok=True)
    with gallery.open(state, view) as visit:
        faults = []
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": HEIGHT})
            visit.page.screenshot(path=folder / f"{state.name}-{width}.png", full_page=True)
            faults += measures.spoilt(visit.page)
        faults += measures.axe(visit.page)
    expect_none(state, faults)


@pytest.mark.slow
@each_state
def test_twice_as_large(gallery: Gallery, state: State) -> None:
    with gallery.open(state, PLAIN) as visit:
        page = visit.page
        page.set_viewport_size({"width": PLAIN.width // 2, "height": HEIGHT // 2})
        faults = [f"zoomed: {fault}" for fault in measures.spoilt(page)]
        page.set_viewport_size({"width": PLAIN.width, "height": HEIGHT})
        before = _sizes(page)
        _letters_of(page, 32)
        assert _sizes(page) == [2 * size for size in before], "sizes in px do not grow with the reader's"
        faults += [f"text alone: {fault}" for fault in measures.spoilt(page)]
        _letters_of(page, 16)
    expect_none(state, faults)


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
@each_state
def test_with_a_readers_own_spacing(gallery: Gallery, state: State, width: int) -> None:
    with gallery.open(state, PLAIN) as visit:
        visit.page.set_viewport_size({"width": width, "height": HEIGHT})
        faults = measures.spoilt(visit.page)
        visit.page.add_style_tag(content=SPACING)
        faults += [f"spaced: {fault}" for fault in measures.spoilt(visit.page)]
    expect_none(state, faults)


def _letters_of(page: Page, size: int) -> None:
    """The size that the reader has set in the browser, in px; 16 if nothing was set."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": size}})
    session.detach()


def _sizes(page: Page) -> list[float]:
    """Of the root's letters and of the text's, in px; titles follow the layout, which becomes a phone's."""
    return [
        page.locator(where).evaluate("one => parseFloat(getComputedStyle(one).fontSize)") for where in (":root", "main")
    ]
