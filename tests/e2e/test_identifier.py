"""The address is changed from « Mon compte »: the password again, a mail to each address, the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import sign_in_with_address
from tests.e2e.outside import PASSWORD, Newcomer, Outside, eventually
from tests.e2e.pages.first_sign_in import ActivationPage, ChoicePage, ConfirmPage, HomePage, OverviewPage
from tests.e2e.pages.identifier import AccountPage, IdentifierForm, PasswordAgain, UndoPage
from tests.e2e.pages.lost_password import PasswordForm

pytestmark = [pytest.mark.browser, pytest.mark.servers]

NEXT = "cinq moutons bleus au loin"
NOTICE = "L’adresse mail de votre Espace Assuré a changé"
CONFIRMATION = "Confirmation de votre changement de login"


def test_the_address_is_changed_told_to_both_and_undone_from_the_old_one(
    outside: Outside, page: Page, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol()
    old, new = sign_in_with_address(outside, page, newcomer), f"marie.{newcomer.member_number}@example.com"
    _ask_for(page, new)
    account = AccountPage(page)
    expect(account.waiting).to_contain_text("m***@example.com")
    expect(account.fact("Adresse mail")).to_contain_text("l***@example.org")

    # Opened elsewhere, where nobody is signed in; the browser that asked stays in.
    elsewhere = new_page()
    activation = ActivationPage(elsewhere).open(outside.activation_path(new))
    activation.press()
    activation.expect_validated()
    page.goto("/compte")
    expect(AccountPage(page).fact("Adresse mail")).to_contain_text("m***@example.com")
    expect(AccountPage(page).waiting).to_have_count(0)
    path = outside.mail_path(old, "/annuler-changement")
    eventually(lambda: CONFIRMATION in _subjects(outside, new) or None, "no confirmation to the new address")
    assert _subjects(outside, old).count(NOTICE) == 1
    [notice] = [mail for mail in outside.mails(old) if mail["Subject"] == NOTICE]
    assert new not in notice["Text"] + notice["HTML"]

    _look_around(elsewhere, path)
    UndoPage(elsewhere, path).press()
    eventually(lambda: _is_signed_out(page), "the session goes on")
    elsewhere.goto(outside.mail_path(old, "/nouveau-mot-de-passe"))
    PasswordForm(elsewhere, "Choisissez votre nouveau mot de passe").save(NEXT)
    elsewhere.get_by_role("link", name="Se connecter").click()
    home = HomePage(elsewhere)
    home.sign_in(new, NEXT)
    expect(home.alert).to_be_visible()
    home.sign_in(old, NEXT)
    OverviewPage(elsewhere)


def _ask_for(page: Page, address: str) -> None:
    """From « Mon compte », with a slip in the password."""
    OverviewPage(page).open_tab("Mon compte")
    page.get_by_role("link", name="Changer mon adresse mail").click()
    PasswordAgain(page).confirm("pas celui-là")
    expect(page.get_by_role("alert")).to_contain_text("Il vous reste 1 essai.")
    PasswordAgain(page).confirm(PASSWORD)
    form = IdentifierForm(page)
    form.email.fill(address)
    form.submit()


def test_an_address_that_awaits_its_mail_is_asked_again_or_given_up(
    member: Newcomer, outside: Outside, page: Page
) -> None:
    page.goto("/compte")
    page.get_by_role("link", name="Me connecter avec mon adresse mail").click()
    PasswordAgain(page).confirm(PASSWORD)
    IdentifierForm(page).submit()  # the address that is known
    account = AccountPage(page)
    expect(account.waiting).to_contain_text("l***@example.org")
    path = outside.activation_path(str(member.email))
    account.waiting.get_by_role("button", name="Envoyer à nouveau le mail").click()
    expect(page.get_by_text("Un nouveau mail est parti.")).to_be_visible()
    account.waiting.get_by_role("button", name="Garder mon adresse actuelle").click()
    expect(page.get_by_text("Le changement d’adresse est abandonné.")).to_be_visible()
    expect(account.waiting).to_have_count(0)
    expect(account.fact("Identifiant de connexion")).to_have_text("Mon numéro d’adhérent")
    ActivationPage(page).open(path).press()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce lien n’est plus valable")


def test_a_first_sign_in_is_gone_on_with_in_another_browser_and_no_scanner_ends_it(
    outside: Outside, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol()
    first = new_page()
    HomePage(first).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    ChoicePage(first)
    first.context.close()  # before anything was chosen
    second = new_page()
    HomePage(second).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(second)
    choice.type_password(PASSWORD)
    choice.submit()
    ConfirmPage(second)
    second.context.close()  # before the address was confirmed
    scanner = new_page()
    path = outside.activation_path(str(newcomer.email))
    _look_around(scanner, path)
    HomePage(scanner).open().sign_in(newcomer.nir13, PASSWORD)
    confirm = ConfirmPage(scanner)
    confirm.go_on()
    confirm = ConfirmPage(scanner)  # nothing was activated
    ActivationPage(new_page()).open(path).press()
    confirm.go_on()
    OverviewPage(scanner)


def _look_around(page: Page, path: str) -> None:
    """As a mail scanner does: with scripts, open the link and every link and GET form of what it shows."""
    page.goto(path)
    page.wait_for_load_state("networkidle")
    found = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map((one) => one.href).concat("
        "[...document.forms].filter((one) => one.method === 'get').map((one) => one.action))"
    )
    here = page.evaluate("location.origin")
    for link in {one for one in found if one.startswith(here)}:
        page.goto(link)
    page.goto(path)


def _subjects(outside: Outside, address: str) -> list[str]:
    return [str(mail["Subject"]) for mail in outside.mails(address)]


def _is_signed_out(page: Page) -> bool:
    page.goto("/compte")
    return page.get_by_label("Mot de passe", exact=True).count() == 1
