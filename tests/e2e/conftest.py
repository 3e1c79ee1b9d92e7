"""A browser, and the world around the portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from deploy.local.chromium import chromium
from tests.e2e.gallery.cast import Cast, prepared
from tests.e2e.gallery.visits import HEIGHT, Gallery
from tests.e2e.outside import PASSWORD, Newcomer, Outside, eventually
from tests.e2e.pages.first_sign_in import ActivationPage, ChoicePage, ConfirmPage, HomePage, OverviewPage
from tests.e2e.pages.keyboard import Keyboard
from tests.stack import RealServers, RunningPortal

SCREENS = Path(__file__).resolve().parents[2] / ".screens"
WIDTHS = (360, 768, 1280)
TIMEOUT_MS = 20_000
SPACES = '[{"name": "Espace Entreprise", "url": "https://entreprise.example/", "hint": "Je gère les contrats."}]'
"""The insurer has another space beside the members'."""


@pytest.fixture(scope="session")
def browser(infra: RealServers) -> Iterator[Browser]:
    """Headless Chromium."""
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        # Without a sandbox, because CI runs as root in a container; it only ever opens our own pages.
        browser = playwright.chromium.launch(executable_path=chromium(infra.processes), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_portal(infra: RealServers) -> Iterator[RunningPortal]:
    """The five services, one start for all browser tests of a worker."""
    running = RunningPortal(infra, {"COMPONENTS_PAGE": "true", "SPACES": SPACES})
    try:
        running.start_all()
        yield running
    finally:
        running.stop_all()


@pytest.fixture(scope="module")
def portal(shared_portal: RunningPortal) -> RunningPortal:
    """The running portal. A test that stops a part of it starts it again."""
    return shared_portal


@pytest.fixture
def outside(portal: RunningPortal) -> Outside:
    """The internal systems, the printing house, the mailbox."""
    return Outside.of(portal)


@pytest.fixture
def new_page(browser: Browser, portal: RunningPortal) -> Iterator[Callable[..., Page]]:
    """Makes pages, each in a browser of its own (cookies, French, Paris). A script's error fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(**options: object) -> Page:
        settings = {"locale": "fr-FR", "timezone_id": "Europe/Paris", "viewport": {"width": 1280, "height": 900}}
        context = browser.new_context(base_url=portal.gateway_url, **{**settings, **options})  # type: ignore[arg-type]  # Playwright's own options
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if _is_refusal(message.text) else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One browser."""
    return new_page()


@pytest.fixture
def member(outside: Outside, page: Page) -> Newcomer:
    """Signed in on `page`, with the member number as identifier and `PASSWORD`."""
    newcomer = outside.enrol()
    sign_in_newcomer(page, newcomer)
    return newcomer


@pytest.fixture(scope="module")
def cast(browser: Browser, portal: RunningPortal) -> Cast:
    """A member with everything, one with nothing, and those still on their way in."""
    return prepared(browser, portal, Outside.of(portal))


@pytest.fixture(scope="module")
def gallery(cast: Cast, portal: RunningPortal) -> Iterator[Gallery]:
    """Opens every page and state."""
    gallery = Gallery(cast, portal)
    yield gallery
    gallery.close()


@pytest.fixture
def keyboard(browser: Browser, cast: Cast, request: pytest.FixtureRequest) -> Iterator[Keyboard]:
    """On a computer, of the member whose name is the parameter; of nobody without."""
    context = browser.new_context(
        base_url=cast.origin,
        locale="fr-FR",
        viewport={"width": 1280, "height": HEIGHT},
        storage_state=cast.cookies(getattr(request, "param", "")),
    )
    context.set_default_timeout(TIMEOUT_MS)
    yield Keyboard(context.new_page())
    context.close()


def sign_in_newcomer(page: Page, newcomer: Newcomer) -> None:
    """First sign-in with the member number as identifier, up to the list of reimbursements."""
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    choice.member_number.check()
    choice.type_password(PASSWORD)
    choice.submit()
    page.get_by_role("link", name="Voir mes remboursements").click()


def sign_in_with_address(outside: Outside, page: Page, newcomer: Newcomer) -> str:
    """First sign-in with the e-mail address as identifier, up to the home page; the address."""
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    choice.email.check()
    choice.type_password(PASSWORD)
    choice.submit()
    confirm = ConfirmPage(page)
    address = str(newcomer.email)
    activation = page.context.new_page()
    ActivationPage(activation).open(outside.activation_path(address)).press()  # and left open, as people leave tabs
    confirm.go_on()
    OverviewPage(page)
    return address


def expect_ended(page: Page) -> None:
    """claims refuses the session's token although neither its signature nor its time is over."""

    def is_over() -> bool:
        page.goto("/remboursements")
        return page.get_by_label("Mot de passe", exact=True).count() == 1

    eventually(is_over, "the session goes on")


def screens(page: Page, name: str) -> None:
    """Pictures of the page as it stands, at each width, for people to look at."""
    SCREENS.mkdir(exist_ok=True)
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=SCREENS / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
    if before:
        page.set_viewport_size(before)


def _is_refusal(text: str) -> bool:
    """What a Content-Security-Policy refuses is told on the console only."""
    return "Content Security Policy" in text or "Content-Security-Policy" in text
