"""A lost password: asked for in one browser while another is signed in; by mail, and by letter. A change of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import expect_ended, screens, sign_in_newcomer, sign_in_with_address
from tests.e2e.outside import PASSWORD, Newcomer, Outside, eventually
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.e2e.pages.lost_password import LostPasswordPage, PasswordForm
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]

NEXT = "cinq moutons bleus au loin"


TITLE = "Choisissez votre nouveau mot de passe"


def test_a_lost_password_is_replaced_by_the_mailed_link(
    portal: RunningPortal, outside: Outside, page: Page, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol()
    address = sign_in_with_address(outside, page, newcomer)
    page.goto("/remboursements")

    elsewhere = new_page()  # somebody who lost the password
    request_id = _ask_with_a_mistake_first(elsewhere, address, newcomer)
    path = outside.mail_path(address, "/nouveau-mot-de-passe")
    assert request_id in outside.request_ids(address)  # from the form to the mail, one trace
    _set_by_the_link(elsewhere, path)
    expect_ended(page)
    eventually(lambda: _confirmations(outside, address) or None, "no confirmation mail")

    # The old password is over, the new one signs in; the link has served.
    elsewhere.get_by_role("link", name="Se connecter").click()
    home = HomePage(elsewhere)
    home.sign_in(address, PASSWORD)
    expect(home.alert).to_contain_text("L’identifiant ou le mot de passe ne correspond pas.")
    home.sign_in(address, NEXT)
    OverviewPage(elsewhere)
    late = new_page(color_scheme="dark")
    late.goto(path)
    PasswordForm(late, TITLE).save("six canards jaunes au loin")
    expect(late.get_by_role("heading", level=1)).to_have_text("Ce lien a déjà servi")
    screens(late, "lien-deja-servi-sombre")

    told = (newcomer.nir13, address, NEXT, path.partition("token=")[2])
    logs = portal.log("gateway") + portal.log("auth")
    assert not [value for value in told if value in logs]


def _ask_with_a_mistake_first(page: Page, address: str, newcomer: Newcomer) -> str:
    """The form, up to the answer that is the same for everybody; the id of the request that was taken."""
    lost = LostPasswordPage.open(page)
    screens(page, "mot-de-passe-perdu")
    lost.ask(address, newcomer.nir13)
    expect(page.get_by_role("alert")).to_contain_text("il en faut 15, avec la clé")
    screens(page, "mot-de-passe-perdu-erreur")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        lost.ask(address, newcomer.nir_on_the_card)
    lost.expect_asked()
    screens(page, "mot-de-passe-perdu-demande")
    return str(answered.value.headers["x-request-id"])


def _set_by_the_link(page: Page, path: str) -> None:
    """Open the mailed link and set `NEXT`; the token leaves the address bar and goes nowhere by Referer."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    page.on("request", note)
    page.goto(path)
    form = PasswordForm(page, TITLE)
    assert "token" not in page.url
    screens(page, "nouveau-mot-de-passe")
    form.save("motdepasse2026")
    expect(form.alert).to_contain_text("trop connu")
    screens(page, "nouveau-mot-de-passe-erreur")
    form.save(NEXT)
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre mot de passe est changé")
    assert not [request.url for request in sent if request.all_headers().get("referer")]
    names = {cookie.get("name") for cookie in page.context.cookies()}
    assert "device" in names
    assert not {"session", "link"} & names
    screens(page, "mot-de-passe-change")


def test_a_letter_brings_a_temporary_password_and_the_member_chooses_their_own(
    outside: Outside, page: Page, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol(email=False)
    sign_in_newcomer(page, newcomer)
    elsewhere = new_page(color_scheme="dark")
    lost = LostPasswordPage.open(elsewhere)
    lost.ask(newcomer.member_number, newcomer.nir_on_the_card)
    lost.expect_asked()
    screens(elsewhere, "mot-de-passe-perdu-demande-sombre")
    printed = outside.letter_password(newcomer.member_number, "temporary_password")
    HomePage(elsewhere).open().sign_in(newcomer.member_number, printed)
    form = PasswordForm(elsewhere, "Choisissez votre mot de passe")
    label = "Mot de passe reçu par courrier"
    elsewhere.goto("/remboursements")  # nothing else can be done before
    form = PasswordForm(elsewhere, "Choisissez votre mot de passe")
    form.save(NEXT, current=(label, "pas celui-là"))
    expect(form.alert).to_contain_text("Il vous reste 1 essai.")
    screens(elsewhere, "choix-mot-de-passe-sombre")
    form.save(NEXT, current=(label, printed))
    OverviewPage(elsewhere)
    expect_ended(page)


def test_the_account_shows_who_one_is_and_changes_the_password(
    member: Newcomer, page: Page, new_page: Callable[..., Page]
) -> None:
    page.get_by_role("navigation", name="Rubriques").get_by_role("link", name="Mon compte").click()
    facts = page.locator("main")
    for said in ("Laure Dupont", member.member_number, "Mon numéro d’adhérent", "l***@example.org"):
        expect(facts).to_contain_text(said)
    expect(facts).not_to_contain_text(str(member.email))
    screens(page, "compte")
    page.get_by_role("link", name="Modifier mon mot de passe").click()
    form = PasswordForm(page, "Modifier mon mot de passe")
    screens(page, "compte-mot-de-passe")
    label = "Mot de passe actuel"
    form.save(NEXT, again="autre", current=(label, PASSWORD))
    expect(form.alert).to_contain_text("ne sont pas les mêmes")
    for said in ("Il vous reste 1 essai.", "réessayez après", "réessayez après"):
        form.save(NEXT, current=(label, "pas celui-là"))
        expect(form.alert).to_contain_text(said)
    screens(page, "compte-mot-de-passe-erreur")

    other = new_page()
    HomePage(other).open().sign_in(member.member_number, PASSWORD)
    OverviewPage(other)


def test_a_changed_password_keeps_this_session_and_ends_the_others(
    member: Newcomer, page: Page, new_page: Callable[..., Page]
) -> None:
    other = new_page(color_scheme="dark")
    HomePage(other).open().sign_in(member.member_number, PASSWORD)
    OverviewPage(other)
    page.goto("/compte/mot-de-passe")
    PasswordForm(page, "Modifier mon mot de passe").save(NEXT, current=("Mot de passe actuel", PASSWORD))
    expect(page.get_by_text("Votre nouveau mot de passe est enregistré.")).to_be_visible()
    screens(page, "compte-change")
    expect_ended(other)
    page.goto("/remboursements")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mes remboursements")
    HomePage(other).sign_in(member.member_number, NEXT)
    other.goto("/compte")
    expect(other.get_by_role("heading", level=1)).to_have_text("Mon compte")
    screens(other, "compte-sombre")


def _confirmations(outside: Outside, address: str) -> list[str]:
    subjects = [str(mail["Subject"]) for mail in outside.mails(address)]
    return [subject for subject in subjects if subject == "Votre mot de passe a été modifié"]
