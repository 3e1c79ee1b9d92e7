"""A blocked access: told of by mail, unlocked with its link, while the member's own browser was never shut out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import screens, sign_in_with_address
from tests.e2e.outside import PASSWORD, Outside
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_two_wrong_passwords_block_and_the_mailed_link_unblocks_at_once(
    portal: RunningPortal, outside: Outside, page: Page, new_page: Callable[..., Page]
) -> None:
    address = sign_in_with_address(outside, page, outside.enrol())
    elsewhere = new_page()
    home = HomePage(elsewhere).open()
    home.sign_in(address, "pas celui-là")
    expect(home.alert).to_contain_text("Il vous reste 1 essai.")
    for password in ("pas celui-là", PASSWORD):  # blocked, even the right one
        home.sign_in(address, password)
        expect(home.alert).to_contain_text(re.compile(r"bloquée jusqu’(à|au).* \(heure de Paris\)"))
        expect(home.alert).to_contain_text(re.compile(r"attendre encore \d+ minutes"))
    screens(elsewhere, "connexion-bloquee")

    # On the browser that the member signed in with before, nothing is blocked.
    page.get_by_role("button", name="Se déconnecter").click()
    HomePage(page).sign_in(address, PASSWORD)
    OverviewPage(page)

    path = outside.mail_path(address, "/deblocage")
    elsewhere.goto(path)
    assert "token" not in elsewhere.url
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Débloquez votre accès")
    elsewhere.get_by_role("button", name="Débloquer mon accès").click()
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Votre accès est débloqué")
    elsewhere.get_by_role("link", name="Se connecter").click()
    home.sign_in(address, PASSWORD)
    OverviewPage(elsewhere)

    elsewhere.goto(path)
    elsewhere.get_by_role("button", name="Débloquer mon accès").click()
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Ce lien a déjà servi")
    logs = portal.log("gateway") + portal.log("auth")
    assert not [told for told in (address, path.partition("token=")[2]) if told in logs]
