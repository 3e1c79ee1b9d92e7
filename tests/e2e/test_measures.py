"""Each measure finds the fault it is for: a measure that could not fail would hold nobody to anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.gallery import measures
from tests.e2e.pages.keyboard import Keyboard

pytestmark = pytest.mark.browser

HEAD = (
    "<!doctype html><html lang=fr><title>Carte · Plansanté</title><style>*{margin:0} body{font:18px sans-serif}</style>"
)


@pytest.fixture
def blank(browser: Browser) -> Iterator[Page]:
    """A page of nobody's."""
    context = browser.new_context(viewport={"width": 360, "height": 600})
    context.add_init_script(measures.SHIFTS)
    page = context.new_page()
    page.goto("data:text/html,")
    yield page
    context.close()


def shown(page: Page, body: str, head: str = HEAD) -> Page:
    """`body` as the page."""
    page.set_content(f"{head}<main><h1>Carte</h1>{body}</main>")
    return page


def test_a_plain_page_has_no_fault(blank: Page) -> None:
    page = shown(blank, "<p>Une phrase et <a href=/>un lien</a>.</p>")
    faults = measures.structure(page, "fr") + measures.basics(page) + measures.axe(page) + measures.spoilt(page)
    assert faults + measures.targets(page) + measures.shifts(page) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p style='font-size:17px'>Petit", "17 px"),
        ("<p class=hint style='font-size:15px'>Petit", "15 px"),
        ("<p style='width:400px'>Large", "scrolls sideways"),
        ("<input style='height:44px'>", "a textbox without a name"),
        ("<button></button>", "a button without a name"),
    ],
)
def test_basics(blank: Page, body: str, said: str) -> None:
    assert said in "\n".join(measures.basics(shown(blank, body)))


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("<p><a href=/>Seul dans sa ligne</a></p>", "px"),
        ("<button style='height:40px;width:80px'>Envoyer</button>", "40 px"),
        ("<input type=radio id=a><label for=a>Oui</label>", "px"),
    ],
)
def test_targets(blank: Page, body: str, size: str) -> None:
    [fault] = measures.targets(shown(blank, body))
    assert size in fault


def test_a_target_may_be_drawn_larger_than_its_box(blank: Page) -> None:
    style = "<style>li{position:relative;height:50px} a::after{content:'';position:absolute;inset:0}</style>"
    assert measures.targets(shown(blank, f"{style}<ul><li><a href=/>Un</a></ul>")) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p style='height:9px;overflow:hidden'>Coupé", "is clipped"),
        ("<p>Dessous<p style='margin-top:-15px'>Dessus", "lie upon each other"),
        ("<p style='margin-left:-20px'>Dehors", "begins left"),
    ],
)
def test_spoilt(blank: Page, body: str, said: str) -> None:
    assert said in "\n".join(measures.spoilt(shown(blank, body)))


def test_structure(blank: Page) -> None:
    page = shown(blank, "<h1>Encore</h1>", "<html lang=en><title>·</title>")
    assert len(measures.structure(page, "fr")) == 3


def test_axe_looks_at_colours_too(blank: Page) -> None:
    page = shown(blank, "<p style='color:#999'>Pâle</p><img src='data:,'>")
    found = "\n".join(measures.axe(page))
    assert "color-contrast" in found
    assert "image-alt" in found


def test_shifts(blank: Page) -> None:
    page = shown(blank, "<p id=a>Plus bas</p>")
    page.wait_for_timeout(200)
    page.evaluate("document.querySelector('h1').style.paddingTop = '100px'")
    page.wait_for_timeout(200)
    assert measures.shifts(page)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<a href=/ style='outline:none'>Un</a>", "no ring"),
        ("<a href=/ style='outline:3px solid #ddd'>Un</a>", "no ring"),
        ("<a href=/ style='position:absolute;left:-900px'>Un</a>", "out of sight"),
        ("<input tabindex=2><input tabindex=1>", "stands before"),
        ("<div id=t tabindex=0>Un</div><a href=/>Deux</a>", "never leaves"),
        ("<div onfocusin='event.target.blur()'><a href=/>Un</a></div>", "Un"),
    ],
)
def test_the_keyboard(blank: Page, body: str, said: str) -> None:
    ring = "<style>:focus{outline:3px solid #0b6e6e}</style>"
    page = shown(blank, ring + body)
    page.evaluate("document.getElementById('t')?.addEventListener('keydown', (event) => event.preventDefault())")
    with pytest.raises(AssertionError, match=said):
        Keyboard(page).walk()
