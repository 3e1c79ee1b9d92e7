"""« Je ne suis pas un robot », with a script and without, by keyboard, and what goes wrong; « Identifiant oublié »."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pymongo import MongoClient

from tests.e2e.pages.first_sign_in import HomePage
from tests.e2e.pages.keyboard import Keyboard
from tests.e2e.pages.lost_password import LostPasswordPage
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SOMEBODY = "12345678", "2 84 05 75 117 001 28"


@pytest.fixture
def used_up(portal: RunningPortal, browser: Browser) -> Page:
    """A browser without JavaScript in whose network the request of this hour has just gone out."""
    with MongoClient[dict[str, Any]](portal.infra.mongo_admin_url) as client:
        client["auth"]["resets_without_challenge"].delete_many({})
    page = browser.new_context(base_url=portal.gateway_url, locale="fr-FR", java_script_enabled=False).new_page()
    lost = LostPasswordPage.open(page)
    expect(page.locator("noscript p")).to_be_visible()  # its text is passed over by what finds texts
    lost.ask(*SOMEBODY)
    lost.expect_asked()
    return page


def test_without_a_script_one_request_an_hour_passes_and_then_the_telephone_is_shown(used_up: Page) -> None:
    lost = LostPasswordPage.open(used_up)
    lost.ask(*SOMEBODY)
    alert = used_up.get_by_role("alert")
    expect(alert).to_contain_text("elle est déjà partie")
    expect(alert.get_by_role("link", name=re.compile(r"^\d\d\s"))).to_have_attribute("href", re.compile("tel:"))
    alert.get_by_role("link", name=re.compile("déjà partie")).click()
    expect(lost.robot).to_be_focused()
    expect(lost.robot).to_have_accessible_description(re.compile("déjà partie"))
    used_up.context.close()


def test_with_a_script_the_box_is_enough_and_can_be_ticked_by_keyboard(used_up: Page, page: Page) -> None:
    used_up.context.close()  # from the same network: what follows passes by its answer alone
    keyboard, lost = Keyboard(page), LostPasswordPage.open(page)
    keyboard.type(page.get_by_label("Identifiant *"), SOMEBODY[0])
    keyboard.type(page.get_by_label("N° Sécurité sociale *"), SOMEBODY[1])
    keyboard.press(lost.robot, "Space")
    expect(lost.robot).to_be_checked()
    expect(lost.checking).to_have_text("Vérification terminée.")
    keyboard.press(page.get_by_role("button", name="Envoyer"))
    lost.expect_asked()


def test_the_form_waits_for_its_answer_and_an_answer_that_served_is_made_anew(used_up: Page, page: Page) -> None:
    used_up.context.close()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    lost = LostPasswordPage.open(page)
    lost.ask("", SOMEBODY[1])
    expect(page.get_by_role("alert")).to_contain_text("Saisissez votre identifiant.")
    expect(lost.robot).to_be_checked()
    expect(lost.checking).to_have_text("Vérification terminée.")  # of a new challenge, without being asked
    lost.fill(*SOMEBODY)
    lost.send()
    lost.expect_asked()
    LostPasswordPage.open(page).ask(*SOMEBODY)
    lost.expect_asked()
    page.go_back()
    LostPasswordPage(page).ask(*SOMEBODY)
    lost.expect_asked()
    answers = [re.search("altcha=([^&]+)", body) for body in sent]
    assert len({answer[1] for answer in answers if answer}) == len(sent) == 4


def test_where_no_worker_can_run_the_form_goes_as_without_a_script(used_up: Page, page: Page) -> None:
    used_up.context.close()
    page.add_init_script("delete window.Worker")
    lost = LostPasswordPage.open(page)
    lost.fill(*SOMEBODY)
    lost.robot.check()
    expect(lost.checking).to_contain_text("La vérification n’a pas pu se faire.")
    lost.send()
    expect(page.get_by_role("alert")).to_contain_text("elle est déjà partie")


def test_a_forgotten_identifier_is_explained_from_the_front_door_and_from_the_lost_password(page: Page) -> None:
    HomePage(page).open()
    for start in ("/", "/mot-de-passe-perdu"):
        page.goto(start)
        page.get_by_role("link", name="Identifiant oublié ?").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Identifiant oublié")
        expect(page.get_by_role("heading", level=2)).to_have_text(
            [
                "Votre adresse mail",
                "Votre numéro d’adhérent",
                "Votre numéro de Sécurité sociale",
                re.compile("Vous ne le retrouvez pas"),
            ]
        )
    expect(page.get_by_role("main").get_by_role("link", name=re.compile(r"^\d\d\s"))).to_be_visible()
