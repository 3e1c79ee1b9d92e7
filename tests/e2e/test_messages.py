"""Mes messages: a question, its answer while the page is open, the reply, and the end of a conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from shared.events.notifications import MessageSent
from tests.e2e.conftest import screens
from tests.e2e.outside import PASSWORD, Newcomer, Outside, eventually
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.live import expect_stream
from tests.e2e.pages.messages import MessagesPage, ThreadPage, WritingPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SUBJECT = "Remboursement de mes lunettes"
QUESTION = "Bonjour,\nmes verres du 12 novembre ne sont pas remboursés.\n\nMerci de votre aide."


def test_a_question_is_answered_on_the_open_page_and_goes_on(
    outside: Outside, member: Newcomer, page: Page, new_page: Callable[..., Page]
) -> None:
    page.get_by_role("link", name="Mes messages").click()
    expect(page.get_by_text("Aucun message pour l’instant.")).to_be_visible()
    screens(page, "messages-vide")
    thread = _asked_after_a_mistake(page)
    [asked] = outside.messages(member, 1)
    assert (asked.subject, asked.text, asked.category) == (SUBJECT, QUESTION, "reimbursement")

    _answered_while_typing(outside, asked, thread)
    eventually(lambda: "Une réponse vous attend" in _subjects(outside, member), "no mail tells of the answer")
    thread.text.fill("Je l’ai déposée dans « Mes documents ».")
    screens(page, "messages-fil")
    thread.send()
    expect(thread.messages).to_have_count(3)
    replied = outside.messages(member, 2)[-1]
    assert (replied.thread_id, replied.text) == (asked.thread_id, "Je l’ai déposée dans « Mes documents ».")

    _answered_while_the_list_is_open(outside, replied, page)
    _closed_while_typing(outside, replied, ThreadPage(page, SUBJECT))
    dark = new_page(color_scheme="dark")
    HomePage(dark).open().sign_in(member.member_number, PASSWORD)
    OverviewPage(dark)
    for path, name in ((f"/messages/{asked.thread_id}", "messages-fil-sombre"), ("/messages", "messages-sombre")):
        dark.goto(path)
        screens(dark, name)
    dark.goto("/messages/not-mine")
    expect(dark.get_by_role("heading", level=1)).to_have_text("Cette page n’existe pas")


def _asked_after_a_mistake(page: Page) -> ThreadPage:
    writing = MessagesPage(page).write()
    _refused_and_kept(writing)
    writing.category.select_option("Un remboursement")
    writing.subject.fill(SUBJECT)
    writing.text.fill(QUESTION)
    screens(page, "messages-ecrire")
    writing.send()
    thread = ThreadPage(page, SUBJECT)
    expect(page.get_by_text("Votre message est bien parti.")).to_be_visible()
    expect(thread.messages).to_have_count(1)
    return thread


def _answered_while_typing(outside: Outside, asked: MessageSent, thread: ThreadPage) -> None:
    expect_stream(thread.page, "open")
    thread.text.fill("Je voulais ajouter que")
    outside.answer(asked, "Bonjour,\nil nous manque l’ordonnance. Pouvez-vous nous l’envoyer ?")
    expect(thread.messages).to_have_count(2)
    expect(thread.messages.last).to_contain_text("il nous manque l’ordonnance")
    expect(thread.announced).to_have_text("Une réponse est arrivée.")
    expect(thread.text).to_have_value("Je voulais ajouter que")
    expect(thread.text).to_be_focused()


def _answered_while_the_list_is_open(outside: Outside, replied: MessageSent, page: Page) -> None:
    """The list marks the answer; a second thread beside it; reading takes the mark away."""
    page.goto("/messages")
    listed = MessagesPage(page)
    expect_stream(page, "open")
    expect(listed.threads.first).to_contain_text("En attente de réponse")
    outside.answer(replied, "Merci, votre remboursement part demain.")
    expect(listed.threads.first).to_contain_text("Nouvelle réponse")
    writing = listed.write()
    writing.category.select_option("Mes coordonnées ou ma famille")
    writing.subject.fill("Ma nouvelle adresse")
    writing.text.fill("Nous avons déménagé.")
    writing.send()
    expect(page.get_by_text("Votre message est bien parti.")).to_be_visible()
    page.goto("/messages")
    screens(page, "messages")
    listed.read(SUBJECT)
    expect(page.get_by_text("votre remboursement part demain")).to_be_visible()


def _refused_and_kept(writing: WritingPage) -> None:
    """Nothing is lost of what was typed."""
    writing.text.fill(QUESTION)
    writing.send()
    alert = writing.page.get_by_role("alert")
    expect(alert).to_contain_text("Choisissez un thème dans la liste.")
    expect(alert).to_contain_text("Indiquez l’objet de votre message")
    expect(writing.text).to_have_value(QUESTION)
    screens(writing.page, "messages-erreur")


def _closed_while_typing(outside: Outside, last: MessageSent, thread: ThreadPage) -> None:
    expect_stream(thread.page, "open")
    thread.text.fill("Encore une chose :")
    outside.answer(last, "Bonne journée.", closes=True)
    expect(thread.page.get_by_text("Cette conversation est terminée.")).to_be_visible()
    expect(thread.text).to_have_value("Encore une chose :")
    thread.send()
    writing = WritingPage(thread.page)
    expect(writing.page.get_by_text("Cette conversation a été terminée entre-temps.")).to_be_visible()
    expect(writing.text).to_have_value("Encore une chose :")
    expect(writing.subject).to_have_value(SUBJECT)
    screens(writing.page, "messages-terminee")
    writing.send()
    expect(ThreadPage(thread.page, SUBJECT).messages).to_have_count(1)


def _subjects(outside: Outside, member: Newcomer) -> list[str]:
    assert member.email
    return [mail["Subject"] for mail in outside.mails(member.email)]
