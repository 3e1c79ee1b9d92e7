"""A part is exchanged where a part suffices; without JavaScript, or without room, the same links lead to pages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import screens
from tests.e2e.outside import PASSWORD, Newcomer, Outside
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.messages import MessagesPage, ThreadPage
from tests.e2e.pages.reimbursements import ReimbursementPage, ReimbursementsPage

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}}


def signed_in(page: Page, member: Newcomer) -> OverviewPage:
    HomePage(page).open().sign_in(member.member_number, PASSWORD)
    return OverviewPage(page)


def test_what_is_chosen_in_a_list_is_shown_beside_it_and_stays_live(
    outside: Outside, member: Newcomer, page: Page
) -> None:
    detail = page.locator("#detail")
    listed = ReimbursementsPage(page)
    expect(page.get_by_text("Aucun remboursement pour l’instant.")).to_be_visible()
    expect(detail).to_be_hidden()
    claim_id = outside.pay(member)["claim_id"]
    expect(listed.row(claim_id)).to_be_visible()
    expect(detail).to_be_visible()
    listed.wait_for_stream()
    listed.mark()
    listed.row(claim_id).get_by_role("link").click()
    expect(detail.get_by_role("heading", level=2)).to_be_focused()
    expect(detail.get_by_role("heading", name="Ce qui reste à votre charge")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    reversal = {"member_number": member.member_number, "claim_id": f"{claim_id}-A", "reverses": claim_id}
    outside.publish(
        "ClaimReversed", {**reversal, "reversed_on": "2026-11-21", "amount_cents": -1450, "reason": "Double"}
    )
    expect(detail.get_by_text("Ce remboursement a été annulé le 21 novembre 2026.")).to_be_visible()
    expect(listed.row(claim_id)).to_contain_text("Annulé")
    listed.expect_not_reloaded()
    expect(page).to_have_url(re.compile("/remboursements$"))


def test_on_a_phone_the_same_link_opens_a_page_and_the_tabs_are_in_a_menu(
    outside: Outside, member: Newcomer, new_page: Callable[..., Page]
) -> None:
    claim_id = outside.pay(member)["claim_id"]
    page = new_page(**PHONE)
    signed_in(page, member)
    tabs = page.get_by_role("navigation", name="Rubriques")
    expect(tabs).to_have_count(0)
    menu = page.locator("summary", has_text="Menu")
    menu.click()
    expect(tabs.get_by_role("link")).to_have_count(6)
    page.keyboard.press("Escape")
    expect(tabs).to_have_count(0)
    expect(menu).to_be_focused()
    menu.click()
    tabs.get_by_role("link", name="Mes remboursements").click()
    ReimbursementsPage(page).open_claim(claim_id)
    expect(page).to_have_url(re.compile(f"/remboursements/{claim_id}$"))
    page.locator("summary", has_text="Menu").click()
    tabs.get_by_role("button", name="Se déconnecter").click()
    expect(HomePage(page).identifier).to_be_visible()


def test_the_next_page_of_a_list_takes_the_place_of_the_list_alone(
    outside: Outside, member: Newcomer, page: Page
) -> None:
    outside.pay_many(member, 21)
    listed = ReimbursementsPage(page)
    expect(listed.row("R-20")).to_be_visible()
    page.reload()
    expect(listed.rows).to_have_count(20)
    listed.mark()
    page.get_by_role("link", name="Plus anciens").click()
    expect(listed.rows).to_have_count(1)
    expect(page.locator("#liste")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?suite="))
    listed.expect_not_reloaded()
    page.go_back()
    expect(listed.rows).to_have_count(20)


def test_forms_inside_a_page_exchange_their_part(member: Newcomer, page: Page) -> None:
    page.goto("/compte")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("checkbox", name="recevoir des informations de gestion").check()
    page.get_by_role("button", name="Enregistrer mon choix").click()
    expect(page.get_by_text("Votre choix est enregistré.").locator("../..")).to_be_focused()
    page.get_by_role("navigation", name="Rubriques")
    assert page.evaluate("window.notReloaded") is True

    page.goto("/messages")
    writing = MessagesPage(page).write()
    writing.category.select_option("Une autre question")
    writing.subject.fill("Ma carte à Lyon")
    writing.text.fill("Est-elle valable ?")
    writing.send()
    thread = ThreadPage(page, "Ma carte à Lyon")
    page.evaluate("window.notReloaded = true")
    thread.send()  # nothing typed
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert").get_by_role("link", name="Écrivez votre message.")).to_be_visible()
    thread.text.fill("Et à Paris ?")
    thread.send()
    expect(thread.messages).to_have_count(2)
    expect(page.get_by_text("Votre message est bien parti.").locator("../..")).to_be_focused()
    expect(thread.text).to_have_value("")
    assert page.evaluate("window.notReloaded") is True


def test_without_javascript_everything_is_a_page(
    outside: Outside, member: Newcomer, new_page: Callable[..., Page]
) -> None:
    claim_id = outside.pay(member)["claim_id"]
    page = new_page(java_script_enabled=False)
    notice = page.get_by_role("region", name="Ce site Web utilise des cookies de session.")
    HomePage(page).open()
    notice.get_by_role("button", name="J’ai compris").click()
    expect(notice).to_have_count(0)
    HomePage(page).sign_in(member.member_number, PASSWORD)
    OverviewPage(page).open_tab("Mes remboursements")
    ReimbursementsPage(page).row(claim_id).get_by_role("link").click()
    assert ReimbursementPage(page).left_to_pay() == "2,00 €"


def test_on_paper_a_reimbursement_is_what_it_says_in_black_without_what_is_for_a_screen(
    outside: Outside, member: Newcomer, page: Page
) -> None:
    claim_id = outside.pay(member)["claim_id"]
    listed = ReimbursementsPage(page)
    expect(listed.row(claim_id)).to_be_visible()
    page.goto(f"/remboursements/{claim_id}")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("heading", name="Ce qui reste à votre charge")).to_be_visible()
    expect(page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator(".received")).to_have_css("background-color", "rgb(232, 245, 236)")  # whatever the screen shows
    expect(page.get_by_role("navigation", name="Rubriques")).to_be_hidden()
    expect(page.get_by_role("button", include_hidden=True).first).to_be_hidden()
    screens(page, "remboursement-papier")
