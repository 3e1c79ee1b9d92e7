"""What a first view costs on the wire, with nothing kept from before; and the portal without a script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.gallery import measures
from tests.e2e.gallery.cast import FULL, Cast
from tests.e2e.outside import Newcomer, Outside
from tests.e2e.pages.documents import DocumentsPage
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.messages import MessagesPage, ThreadPage
from tests.e2e.pages.reimbursements import ReimbursementsPage
from tests.e2e.test_documents import INVOICE

pytestmark = pytest.mark.browser

MAX_BYTES = 100_000
MAX_SCRIPT_BYTES = 30_000
QUESTION = "Ma carte à Lyon"


@dataclass
class Wire:
    """Bytes as they came, headers included, by address; listens to Chromium's own count of them."""

    urls: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def listen(self, page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def of(self, kind: str = "") -> int:
        """Of one kind, or of all."""
        return sum(size for one, size in self.sizes.items() if not kind or self.kinds.get(one) == kind)

    def without_news(self, path: str) -> Wire:
        """Without what the live stream has read again: it repeats the last minute, in which our events happened."""
        news = {one for one, url in self.urls.items() if self.kinds[one] in {"Fetch", "XHR"} and _is_news(url, path)}
        return Wire(self.urls, self.kinds, {one: size for one, size in self.sizes.items() if one not in news})

    def origins(self) -> set[str]:
        """Where anything came from; Chromium's own pictures, as the calendar of a date's field, came from nowhere."""
        return {f"{at.scheme}://{at.netloc}" for at in map(urlsplit, self.urls.values()) if at.scheme != "data"}

    def paths(self) -> set[str]:
        """What was asked for."""
        return {urlsplit(url).path for url in self.urls.values()}

    def told(self) -> str:
        """The list, largest first."""
        largest = sorted(self.sizes, key=lambda one: -self.sizes[one])
        return "\n".join(f"{self.sizes[one]:>7} {self.kinds[one]:<10} {self.urls[one]}" for one in largest)

    def _answered(self, event: dict[str, Any]) -> None:
        self.urls[event["requestId"]] = event["response"]["url"]
        self.kinds[event["requestId"]] = event["type"]

    def _finished(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = int(event["encodedDataLength"])


def _is_news(url: str, path: str) -> bool:
    found = urlsplit(url).path
    return found == path or found.startswith("/parties/")


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/", ""),
        ("/mot-de-passe-perdu", ""),
        ("/accueil", FULL),
        ("/remboursements", FULL),
        ("/compte/mot-de-passe", FULL),
    ],
)
def test_a_first_view_is_light(browser: Browser, cast: Cast, path: str, who: str) -> None:
    context = browser.new_context(base_url=cast.origin, locale="fr-FR", storage_state=cast.cookies(who))
    context.add_init_script(measures.SHIFTS)
    page, wire = context.new_page(), Wire()
    wire.listen(page)
    page.goto(path)
    page.wait_for_timeout(1000)
    shifts, origins = measures.shifts(page), wire.origins()
    context.close()
    wire = wire.without_news(path)
    assert origins == {cast.origin}
    assert ("/static/password.js" in wire.paths()) == (path == "/compte/mot-de-passe")
    assert wire.of("Script") < MAX_SCRIPT_BYTES, wire.told()
    assert wire.of() < MAX_BYTES, wire.told()
    assert not shifts


def test_everything_can_be_done_without_a_script(browser: Browser, cast: Cast, outside: Outside) -> None:
    context = browser.new_context(base_url=cast.origin, locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    HomePage(page).open().sign_in(*cast.credentials[FULL])
    OverviewPage(page).open_tab("Mes remboursements")
    _reads_and_pages_on(page)
    _sends_a_document(page)
    _writes(page, outside, cast.members[FULL])
    page.goto("/compte")
    wanted = page.get_by_role("checkbox", name="recevoir des informations de gestion")
    wanted.check()
    page.get_by_role("button", name="Enregistrer mon choix").click()
    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
    expect(wanted).to_be_checked()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(HomePage(page).password).to_be_visible()
    context.close()


def _reads_and_pages_on(page: Page) -> None:
    listed = ReimbursementsPage(page)
    expect(listed.rows).to_have_count(20)
    detail = listed.open_claim("R-paid")
    assert detail.left_to_pay() == "2,00 €"
    page.go_back()
    page.get_by_role("link", name="Plus anciens").click()
    expect(listed.row("R-00")).to_be_visible()


def _sends_a_document(page: Page) -> None:
    page.goto("/documents")
    form = DocumentsPage(page).send_one()
    form.fill("Une facture", "Hugo", INVOICE)
    form.send()
    expect(page.get_by_text("Votre facture est bien arrivée.")).to_be_visible()


def _writes(page: Page, outside: Outside, member: Newcomer) -> None:
    page.goto("/messages")
    writing = MessagesPage(page).write()
    writing.category.select_option("Ma carte de tiers payant")
    writing.subject.fill(QUESTION)
    writing.text.fill("Est-elle valable à Lyon ?")
    writing.send()
    expect(ThreadPage(page, QUESTION).messages).to_have_count(1)
    assert outside.messages(member, 4)[-1].subject == QUESTION
