"""A closed account: who is signed in is out, who knows the password reads why, nobody else learns of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.deploy.command import run
from tests.e2e.conftest import screens
from tests.e2e.outside import PASSWORD, Newcomer
from tests.e2e.pages.first_sign_in import HomePage
from tests.stack import RealServers

pytestmark = pytest.mark.browser


def test_a_closed_account_is_told_to_its_member_alone(infra: RealServers, member: Newcomer, page: Page) -> None:
    _portal(infra, "close", member.member_number, "--reason", "dispute")
    page.goto("/compte")
    home = HomePage(page)
    expect(home.identifier).to_be_visible()  # the session is over
    home.sign_in(member.member_number, "un autre mot de passe")
    expect(home.alert).to_contain_text("ne correspond pas")
    home.sign_in(member.member_number, PASSWORD)
    expect(home.alert).to_contain_text("L’accès à cet espace est fermé.")
    screens(page, "connexion-fermee")
    _portal(infra, "open", member.member_number)
    home.sign_in(member.member_number, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")


def _portal(infra: RealServers, *arguments: str) -> None:
    done = run(infra.operators(), "deploy.cli", "account", *arguments)
    assert done.returncode == 0, done.stderr
