"""Ma carte on a telephone: shown on the whole screen, and shared with a professional by a link."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SCREENS, sign_in_newcomer
from tests.e2e.outside import Outside, eventually
from tests.e2e.pages.card import CardPage, FullScreenPage, SharedCardPage, SharesPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

UPRIGHT, ACROSS = {"width": 390, "height": 844}, {"width": 844, "height": 390}
PHONE = {"viewport": UPRIGHT, "is_mobile": True, "has_touch": True}


def test_a_card_is_shown_across_the_screen_and_shared_until_it_is_stopped(
    outside: Outside, new_page: Callable[..., Page]
) -> None:
    page, stranger = new_page(**PHONE, permissions=["clipboard-read", "clipboard-write"]), new_page(**PHONE)
    newcomer = outside.enrol()
    sign_in_newcomer(page, newcomer)

    def has_come() -> bool:  # the contract reaches claims on a way of its own
        page.goto("/carte")
        return page.get_by_role("link", name="Partager avec un professionnel").count() == 1

    eventually(has_come, "no card")
    own = CardPage(page).labels()
    _shown_across(page, own)
    page.get_by_role("link", name="Partager avec un professionnel").click()
    shares = SharesPage(page)
    link = shares.create()
    expect(shares.code).to_be_visible()
    shares.copy.click()
    expect(page.get_by_role("status")).to_have_text("Lien copié")
    assert page.evaluate("navigator.clipboard.readText()") == link
    expect(page.get_by_text("Carte pas encore vue.")).to_be_visible()

    shared = SharedCardPage(stranger, link)
    assert shared.labels() == own
    expect(stranger.get_by_text("2 84 •• •• ••• ••• ••")).to_have_count(2)
    assert newcomer.nir13 not in stranger.content().replace(" ", "")
    assert stranger.context.cookies() == []
    stranger.goto(link)  # to have the link is not to look at the card
    page.goto("/carte/partages")
    expect(page.get_by_text("Carte vue une fois, ")).to_be_visible()

    SharesPage(page).stop()
    stranger.get_by_role("button", name="Voir la carte").click()
    over = stranger.get_by_role("heading", name="Cette carte n’est plus partagée")
    expect(over).to_be_visible()
    answer = stranger.goto(link)
    assert answer is not None
    assert answer.status == 410
    expect(over).to_be_visible()


def _shown_across(page: Page, own: dict[str, str]) -> None:
    """From Ma carte and back to it."""
    number = page.locator(".tp-people").get_by_role("listitem").first.inner_text().partition("INSEE ")[2]
    page.get_by_role("link", name="Montrer en plein écran").click()
    full = FullScreenPage(page)
    expect(full.turn).to_be_visible()
    page.set_viewport_size(ACROSS)  # type: ignore[arg-type]  # Playwright's own size
    expect(full.turn).to_be_hidden()
    heads, operators, laure, levels, *_ = full.rows()
    assert heads.startswith("PHAR MED RLAX")
    assert (operators.split()[:5], levels.split()[0]) == (["SP", "SP", "SP", "SP", "IS"], "100/100/100")
    assert laure.startswith("DUPONT Laure Rang 1")
    assert number.strip() in laure  # whole: it is the member's own
    assert {name: value for name, value in own.items() if page.get_by_text(value).first.is_visible()} == own
    SCREENS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENS / "carte-plein-ecran-travers.png")
    reached = page.evaluate("document.querySelector('.full').getBoundingClientRect().bottom")
    assert reached <= ACROSS["height"], "a family of two is seen without scrolling"
    full.enlarge.click()
    page.wait_for_function("document.fullscreenElement?.classList.contains('full')")
    expect(full.enlarge).to_be_hidden()
    page.evaluate("document.exitFullscreen()")
    page.set_viewport_size(UPRIGHT)  # type: ignore[arg-type]  # the same
    full.close()
