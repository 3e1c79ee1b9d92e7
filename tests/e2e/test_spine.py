"""From an event to a member's screen: enrolment, first sign-in, a paid claim on the open page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import screens
from tests.e2e.outside import PASSWORD, Newcomer, Outside, eventually
from tests.e2e.pages.first_sign_in import ActivationPage, ChoicePage, ConfirmPage, HomePage, OverviewPage
from tests.e2e.pages.reimbursements import ReimbursementPage, ReimbursementsPage
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_the_spine_with_an_email_address(outside: Outside, page: Page, new_page: Callable[..., Page]) -> None:
    newcomer = outside.enrol()
    assert newcomer.email
    confirm = _choose_the_address(page, newcomer)

    # The link is opened elsewhere, on a telephone for instance: the button there opens no session.
    elsewhere = new_page()
    activation = ActivationPage(elsewhere).open(outside.activation_path(newcomer.email))
    screens(elsewhere, "activation")
    activation.press()
    activation.expect_validated()
    screens(elsewhere, "identifiant-valide")
    assert not [cookie for cookie in elsewhere.context.cookies() if cookie["name"] == "session"]
    eventually(lambda: len(outside.mails(newcomer.email or "")) >= 2 or None, "no confirmation mail")

    # The browser that waited goes on without signing in again.
    confirm.go_on()
    OverviewPage(page)

    # From now on the address signs in, the NIR does not.
    home = HomePage(elsewhere).open()
    home.sign_in(newcomer.nir13, PASSWORD)
    expect(home.alert).to_contain_text("L’identifiant ou le mot de passe ne correspond pas.")
    home.sign_in(newcomer.email, PASSWORD)
    overview = OverviewPage(elsewhere)
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Bonjour Laure")
    screens(elsewhere, "apercu-vide")
    overview.open_tab("Mes remboursements")
    reimbursements = ReimbursementsPage(elsewhere)
    expect(elsewhere.get_by_text("Aucun remboursement pour l’instant.")).to_be_visible()
    screens(elsewhere, "remboursements-vide")
    _see_a_payment_arrive(elsewhere, reimbursements, outside, newcomer)


def _choose_the_address(page: Page, newcomer: Newcomer) -> ConfirmPage:
    """Sign in with what is printed, choose the known address and an own password."""
    home = HomePage(page).open()
    screens(page, "accueil")
    home.sign_in(newcomer.nir13, newcomer.temporary_password)

    choice = ChoicePage(page)
    expect(choice.member_number.locator("..")).to_contain_text(newcomer.member_number)
    assert [box.is_checked() for box in choice.consents.all()] == [False, False]
    screens(page, "choix")
    choice.email.check()
    choice.consents.first.check()
    choice.type_password(PASSWORD)
    choice.submit()
    confirm = ConfirmPage(page)
    screens(page, "confirmation")
    return confirm


def _see_a_payment_arrive(page: Page, reimbursements: ReimbursementsPage, outside: Outside, newcomer: Newcomer) -> None:
    """On the open list, without a reload; then its lines and what is left to pay."""
    reimbursements.wait_for_stream()
    reimbursements.mark()
    claim = outside.pay(newcomer)
    row = reimbursements.row(claim["claim_id"])
    expect(row).to_be_visible()
    reimbursements.expect_not_reloaded()
    expect(row).to_contain_text("Pharmacie 65 % · Hugo")
    expect(row).to_contain_text("14,50\N{NO-BREAK SPACE}€")
    expect(row).to_contain_text("Payé")

    detail = reimbursements.open_claim(claim["claim_id"])
    assert detail.left_to_pay() == "2,00 €"
    assert [line[0] for line in detail.lines()] == [
        "Pharmacie 65 % 12 novembre 2026",
        "Consultation généraliste 12 novembre 2026",
    ]
    assert [line[-1] for line in detail.lines()] == ["0,00 €", "2,00 €"]
    screens(page, "remboursement")


def test_the_spine_with_the_member_number(member: Newcomer, page: Page, new_page: Callable[..., Page]) -> None:
    ReimbursementsPage(page)
    page.get_by_role("button", name="Se déconnecter").click()
    home = HomePage(page)
    home.sign_in(member.nir13, PASSWORD)
    expect(home.alert).to_be_visible()
    other = HomePage(new_page()).open()
    other.sign_in(member.member_number, PASSWORD)
    OverviewPage(other.page)


def test_a_typed_address_is_needed_when_none_is_known(outside: Outside, page: Page) -> None:
    newcomer = outside.enrol(email=False)
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    choice.email.check()
    choice.type_password(PASSWORD)
    choice.submit()
    expect(page.get_by_role("alert")).to_contain_text("Saisissez une adresse mail")
    screens(page, "choix-erreur")
    address = f"typed.{newcomer.member_number}@example.org"
    choice.other_email.fill(address)
    choice.type_password(PASSWORD)
    choice.submit()
    ConfirmPage(page)
    assert outside.activation_path(address)


def test_what_is_wrong_with_a_password_is_said_and_the_rest_is_kept(outside: Outside, page: Page) -> None:
    newcomer = outside.enrol()
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    choice.member_number.check()
    choice.consents.last.check()
    for password, again, said in (
        ("court", "court", "il faut 12 caractères au moins"),
        ("motdepasse2026", "motdepasse2026", "trop connu"),
        (PASSWORD, "autre chose", "ne sont pas les mêmes"),
    ):
        choice.type_password(password, again)
        choice.submit()
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(choice.member_number).to_be_checked()
        expect(choice.consents.last).to_be_checked()
        assert page.get_by_label("Nouveau mot de passe", exact=True).input_value() == ""


def test_links_are_voided_by_a_new_choice_and_work_once(
    outside: Outside, page: Page, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol()
    assert newcomer.email
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    choice.type_password(PASSWORD)
    choice.submit()
    confirm = ConfirmPage(page)
    first = outside.activation_path(newcomer.email)
    confirm.send_again()
    expect(page.get_by_text("Un nouveau mail est parti.")).to_be_visible()
    second = outside.activation_path(newcomer.email, nth=2)
    assert second != first

    again = confirm.choose_otherwise()
    expect(page.get_by_label("Nouveau mot de passe", exact=True)).to_have_count(0)  # it holds already
    other_address = f"autre.{newcomer.member_number}@example.org"
    again.email.check()
    again.other_email.fill(other_address)
    again.submit()
    ConfirmPage(page)
    third = outside.activation_path(other_address)

    scanner = ActivationPage(new_page())
    scanner.open(second).press()
    expect(scanner.page.get_by_role("heading", level=1)).to_have_text("Ce lien n’est plus valable")
    screens(scanner.page, "lien-perime")
    scanner.open(third).press()
    scanner.expect_validated()
    scanner.open(third).press()
    expect(scanner.page.get_by_role("heading", level=1)).to_have_text("Ce lien a déjà servi")


def test_two_failures_block_the_sign_in(outside: Outside, page: Page) -> None:
    newcomer = outside.enrol()
    home = HomePage(page).open()
    home.sign_in(newcomer.nir13, "pas le bon mot")
    expect(home.alert).to_contain_text("L’identifiant ou le mot de passe ne correspond pas.")
    expect(home.alert).to_contain_text("Il vous reste 1 essai.")
    expect(home.identifier).to_have_value(newcomer.nir13)
    expect(home.password).to_have_value("")
    screens(page, "accueil-erreur")
    for password in ("pas le bon mot", newcomer.temporary_password):
        home.sign_in(newcomer.nir13, password)
        expect(home.alert).to_contain_text(re.compile(r"La connexion est bloquée jusqu’(à|au .* à) \d\d:\d\d"))
    screens(page, "accueil-bloque")


def test_no_token_leaves_by_the_referer(outside: Outside, page: Page, new_page: Callable[..., Page]) -> None:
    newcomer = outside.enrol()
    assert newcomer.email
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    choice.type_password(PASSWORD)
    choice.submit()
    ConfirmPage(page)
    elsewhere = new_page()
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    elsewhere.on("request", note)
    activation = ActivationPage(elsewhere).open(outside.activation_path(newcomer.email))
    activation.press()
    activation.expect_validated()
    assert len(sent) >= 4
    assert not [request.url for request in sent if request.all_headers().get("referer")]
    assert "token" not in elsewhere.url


def test_an_ended_session_leads_to_sign_in_and_back(member: Newcomer, outside: Outside, page: Page) -> None:
    claim = outside.pay(member)
    listed = ReimbursementsPage(page)
    expect(listed.row(claim["claim_id"])).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"/remboursements/{claim['claim_id']}")
    home = HomePage(page)
    expect(page.get_by_text("Connectez-vous pour continuer.")).to_be_visible()
    screens(page, "accueil-retour")
    home.sign_in(member.member_number, PASSWORD)
    assert ReimbursementPage(page).left_to_pay() == "2,00 €"


def test_no_personal_data_in_the_logs(member: Newcomer, portal: RunningPortal) -> None:
    lines = portal.log("gateway").splitlines()
    told = (member.nir13, member.member_number, PASSWORD, member.temporary_password, str(member.email))
    assert lines
    assert [line for line in lines if any(value in line for value in told)] == []
