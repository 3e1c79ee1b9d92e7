"""Two steps to sign in: turned on with an app, used, with a recovery code too, and turned off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.outside import PASSWORD, Newcomer
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.identifier import PasswordAgain
from tests.e2e.pages.second_factor import CodePage, SetupPage, TwoStepsPage
from tests.services.auth.factoring import App

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_a_member_turns_it_on_signs_in_with_it_and_turns_it_off(
    member: Newcomer, page: Page, new_page: Callable[..., Page]
) -> None:
    page.goto("/compte")
    page.get_by_role("link", name="Validation en deux étapes").click()
    TwoStepsPage(page).expect_state("Désactivée")
    TwoStepsPage(page).follow("Activer la validation en deux étapes")
    PasswordAgain(page).confirm(PASSWORD)
    app = App(SetupPage(page).secret(), [])
    expect(page.get_by_role("img", name="Code à photographier")).to_be_visible()
    codes = SetupPage(page).confirm(_spaced(app.code_before()))
    assert len(set(codes)) == 10
    page.get_by_role("link", name="J’ai gardé mes codes").click()
    TwoStepsPage(page).expect_state("Activée")
    page.locator(".bar-action").get_by_role("button", name="Se déconnecter").click()

    page.goto("/?suite=%2Fmessages")
    HomePage(page).sign_in(member.member_number, PASSWORD)
    CodePage(page).show(app.wrong())
    expect(CodePage(page).alert).to_contain_text("Il vous reste 1 essai.")
    page.goto("/remboursements")  # nothing else is open
    page.goto("/?suite=%2Fmessages")
    CodePage(page).show(app.code())
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes messages")

    plain = new_page(java_script_enabled=False)
    HomePage(plain).open().sign_in(member.member_number, PASSWORD)
    CodePage(plain).with_a_recovery_code().show(codes[0].lower())
    OverviewPage(plain)
    plain.goto("/compte/deux-etapes")
    expect(plain.get_by_text("Il vous reste 9 codes de secours.")).to_be_visible()
    TwoStepsPage(plain).follow("Désactiver")
    PasswordAgain(plain).confirm(PASSWORD)
    plain.get_by_role("button", name="Désactiver").click()
    TwoStepsPage(plain).expect_state("Désactivée")

    page.context.clear_cookies()
    HomePage(page).open().sign_in(member.member_number, PASSWORD)
    OverviewPage(page)


def _spaced(code: str) -> str:
    return f"{code[:3]} {code[3:]}"
