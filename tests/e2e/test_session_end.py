"""The end of a session in a browser: the warning that extends it, the text that outlives it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import screens
from tests.e2e.outside import PASSWORD, Newcomer, Outside
from tests.e2e.pages.documents import SendPage
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.live import expect_stream
from tests.e2e.pages.messages import ThreadPage, WritingPage
from tests.stack import RealServers, RunningPortal

pytestmark = pytest.mark.browser

OVER = "Votre session est terminée : 1 minute sans activité."
IDLE_S = 14
"""Half of it passes before the warning."""
TEXT = "Bonjour,\nmes verres ne sont pas remboursés : « pourquoi » ? 👓"


@pytest.fixture(scope="module")
def portal(infra: RealServers, shared_portal: RunningPortal) -> Iterator[RunningPortal]:
    """The portal behind a gateway whose sessions end soon."""
    impatient = RunningPortal(infra, {"SESSION_IDLE_SECONDS": str(IDLE_S)})
    shared_portal.stop("gateway")
    try:
        impatient.start("gateway")
        yield impatient
    finally:
        impatient.stop("gateway")
        shared_portal.start("gateway")


def _warning(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Votre session va se terminer")


def _expect_signed_out(page: Page) -> None:
    expect(page.get_by_text(OVER)).to_be_visible(timeout=60_000)


def test_the_warning_extends_the_session_in_every_tab(member: Newcomer, page: Page) -> None:
    page.goto("/compte")
    account = page.get_by_role("link", name="Modifier mon mot de passe")
    account.focus()
    expect(_warning(page)).to_be_visible()
    stay = page.get_by_role("button", name="Rester connecté")
    expect(stay).to_be_focused()
    expect(_warning(page)).to_contain_text(re.compile(r"Il reste \d+ secondes\."))
    screens(page, "session-avertissement")
    stay.click()
    expect(_warning(page)).to_be_hidden()
    expect(account).to_be_focused()
    expect(_warning(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(_warning(page)).to_be_hidden()
    other = page.context.new_page()
    other.goto("/compte")
    expect(_warning(other)).to_be_visible()
    page.reload()  # activity in one tab is activity in the other
    expect(_warning(other)).to_be_hidden()
    other.close()
    _expect_signed_out(page)
    expect(page).to_have_url(re.compile(r"suite=%2Fcompte$"))


def test_live_updates_do_not_keep_a_session_alive(
    outside: Outside, new_page: Callable[..., Page], member: Newcomer
) -> None:
    page = new_page()
    HomePage(page).open().sign_in(member.member_number, PASSWORD)
    overview = OverviewPage(page)
    expect_stream(page, "open")
    outside.pay_many(member, 1)
    expect(overview.rows).to_have_count(1)
    over = page.get_by_text(OVER)
    for count in range(2, 3 * IDLE_S):
        outside.pay_many(member, count)  # each is read again by the page
        if over.is_visible():
            break
        page.wait_for_timeout(1000)
    expect(over).to_be_visible(timeout=1)
    HomePage(page).sign_in(member.member_number, PASSWORD)
    OverviewPage(page)


def test_a_typed_message_survives_the_end_and_is_sent_after_signing_in(
    outside: Outside, member: Newcomer, page: Page
) -> None:
    page.goto("/messages/nouveau")
    writing = WritingPage(page)
    writing.category.select_option("Un remboursement")
    writing.subject.fill("Mes lunettes")
    writing.text.fill(TEXT)
    over = page.get_by_role("dialog", name="Votre session est terminée")
    expect(over).to_be_visible(timeout=60_000)
    screens(page, "session-terminee-texte")
    over.get_by_role("button", name="J’ai compris").click()
    expect(writing.text).to_have_value(TEXT)
    writing.send()
    _expect_signed_out(page)
    screens(page, "session-connexion-texte-garde")
    home = HomePage(page)
    home.sign_in(member.member_number, "not the password at all")
    expect(home.alert).to_contain_text("L’identifiant ou le mot de passe ne correspond pas.")
    home.sign_in(member.member_number, PASSWORD)
    expect(page.get_by_text("Votre texte est gardé : relisez-le, puis envoyez-le.")).to_be_visible()
    expect(page).to_have_url(re.compile("/messages/nouveau$"))
    expect(writing.text).to_have_value(TEXT)
    screens(page, "session-texte-revenu")
    writing.send()
    ThreadPage(page, "Mes lunettes")
    [sent] = outside.messages(member, 1)
    assert (sent.subject, sent.text) == ("Mes lunettes", TEXT)


def test_a_document_asks_for_its_file_alone_again(member: Newcomer, page: Page) -> None:
    page.goto("/documents/envoyer")
    sending, comment = SendPage(page), page.get_by_label("Commentaire")
    comment.fill("Deux pages")
    page.get_by_label("Le fichier").set_input_files(
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-"}
    )
    page.get_by_role("button", name="J’ai compris").click(timeout=60_000)
    sending.send()
    _expect_signed_out(page)
    expect(page.get_by_role("button", name="Se déconnecter")).to_have_count(
        0
    )  # a whole page, not a part of the old one
    HomePage(page).sign_in(member.member_number, PASSWORD)
    expect(page.get_by_text("choisissez à nouveau le fichier")).to_be_visible()
    expect(page).to_have_url(re.compile("/documents/envoyer$"))
    expect(comment).to_have_value("Deux pages")
