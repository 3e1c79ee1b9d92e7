"""Each journey without a mouse: by Tab, Enter, Space and the arrows alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.gallery.cast import EMPTY, FULL, NEW, Cast
from tests.e2e.gallery.states import STATES
from tests.e2e.gallery.visits import HEIGHT, Gallery, View
from tests.e2e.outside import PASSWORD
from tests.e2e.pages.card import CardPage
from tests.e2e.pages.documents import DocumentsPage, SendPage
from tests.e2e.pages.first_sign_in import ChoicePage, HomePage, OverviewPage
from tests.e2e.pages.keyboard import Keyboard, expect_told, of
from tests.e2e.pages.messages import MessagesPage, ThreadPage, WritingPage
from tests.e2e.pages.reimbursements import ReimbursementsPage
from tests.e2e.test_documents import INVOICE

pytestmark = pytest.mark.browser

WALKED = ["connexion-erreur", "accueil", "remboursements", "envoyer", "fil"]
WALKED_IN_FULL = [
    *("choix-erreurs", "remboursement-paye", "annee", "carte", "ecrire-erreurs", "compte", "cles"),
    *("perdu-erreurs", "deblocage", "appareils", "activite", "compte-confirmer-vide", "compte-identifiant"),
]
SUBJECT = "Ma carte à Lyon"
NEXT = "six canards jaunes au loin"


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [*WALKED, *(pytest.param(name, marks=pytest.mark.slow) for name in WALKED_IN_FULL)])
def test_tab_goes_through_a_page_in_its_order(gallery: Gallery, name: str, width: int) -> None:
    [state] = [state for state in STATES if state.name == name]
    with gallery.open(state, View("fr", width)) as visit:
        Keyboard(visit.page).walk()


def test_signing_in_and_what_is_wrong_with_it(keyboard: Keyboard, cast: Cast) -> None:
    page = keyboard.page
    home = HomePage(page).open()
    keyboard.type(home.identifier, cast.credentials[EMPTY][0])
    keyboard.type(home.password, "pas le bon mot")
    page.keyboard.press("Enter")
    expect_told(page)
    expect(home.identifier).to_have_value(cast.credentials[EMPTY][0])
    keyboard.type(home.password, cast.credentials[EMPTY][1])
    keyboard.press(page.get_by_role("button", name="Se connecter", exact=True))
    OverviewPage(page)


@of(NEW)
def test_the_first_choice(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/premiere-connexion")
    choice = ChoicePage(page)
    keyboard.press(page.get_by_role("button", name="Valider"))
    expect_told(page)
    keyboard.choose(choice.member_number)
    keyboard.press(choice.consents.last, "Space")
    expect(choice.consents.last).to_be_checked()
    keyboard.type(page.get_by_label("Nouveau mot de passe", exact=True), PASSWORD)
    keyboard.type(page.get_by_label("Le même, une seconde fois"), PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/identifiant-valide$"))


@of(FULL)
def test_reimbursements_one_of_them_and_back(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/accueil")
    keyboard.open_tab("Mes remboursements")
    listed = ReimbursementsPage(page)
    keyboard.press(listed.row("R-paid").get_by_role("link"))
    beside = page.locator("#detail")
    expect(beside.get_by_role("heading", level=2)).to_be_focused()
    keyboard.to(beside.get_by_role("link", name="Décompte (PDF)"))
    page.set_viewport_size({"width": 360, "height": HEIGHT})
    page.reload()
    keyboard.press(listed.row("R-paid").get_by_role("link"))
    expect(page).to_have_url(re.compile("/remboursements/R-paid$"))
    keyboard.press(page.locator("main").get_by_role("link", name="Mes remboursements"))
    ReimbursementsPage(page)
    keyboard.press(page.get_by_role("link", name="Plus anciens"))
    expect(listed.row("R-00")).to_be_visible()


@of(FULL)
def test_the_card(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/accueil")
    keyboard.open_tab("Ma carte")
    CardPage(page)
    with page.expect_download():
        keyboard.press(page.get_by_role("link", name="Télécharger la carte (PDF)"))


@of(FULL)
def test_sending_a_document(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/documents")
    keyboard.press(page.locator("main").get_by_role("link", name="Envoyer un document"))
    form = SendPage(page)
    keyboard.press(page.get_by_role("button", name="Envoyer le document"))
    expect_told(page)
    keyboard.choose(page.get_by_role("radio", name="Un devis"))
    keyboard.choose(page.get_by_role("radio", name="Hugo"))
    keyboard.type(page.get_by_label("Montant en euros"), "12,50")
    keyboard.to(page.get_by_label("Le fichier"))
    page.get_by_label("Le fichier").set_input_files(INVOICE)  # the system's own window is not ours
    keyboard.press(page.get_by_role("button", name="Envoyer le document"))
    expect(page.get_by_text("Votre devis est bien arrivé.")).to_be_visible()
    DocumentsPage(form.page)


@of(FULL)
def test_writing_and_replying(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/messages")
    keyboard.press(page.get_by_role("link", name="Écrire au centre de gestion"))
    writing = WritingPage(page)
    keyboard.press(page.get_by_role("button", name="Envoyer le message"))
    expect_told(page)
    keyboard.to(writing.category)
    page.keyboard.press("ArrowDown")
    keyboard.type(writing.subject, SUBJECT)
    keyboard.type(writing.text, "Est-elle valable à Lyon ?")
    keyboard.press(page.get_by_role("button", name="Envoyer le message"))
    thread = ThreadPage(page, SUBJECT)
    keyboard.type(thread.text, "Et à Paris ?")
    keyboard.press(page.get_by_role("button", name="Envoyer la réponse"))
    expect(thread.messages).to_have_count(2)
    keyboard.press(page.locator("main").get_by_role("link", name="Mes messages"))
    MessagesPage(page)


@of(EMPTY)
def test_changing_the_password(keyboard: Keyboard, cast: Cast) -> None:
    page = keyboard.page
    page.goto("/compte")
    keyboard.press(page.get_by_role("link", name="Modifier mon mot de passe"))
    keyboard.press(page.get_by_role("button", name="Enregistrer"))
    expect_told(page)
    keyboard.type(page.get_by_label("Mot de passe actuel", exact=True), cast.credentials[EMPTY][1])
    keyboard.type(page.get_by_label("Nouveau mot de passe", exact=True), NEXT)
    again = page.get_by_label("Le même, une seconde fois")
    keyboard.to(again)
    keyboard.back()
    expect(again).not_to_be_focused()
    keyboard.type(again, NEXT)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Votre nouveau mot de passe est enregistré.")).to_be_visible()
    cast.credentials[EMPTY] = cast.credentials[EMPTY][0], NEXT


@of(FULL)
def test_the_parts_of_the_portal_on_a_phone(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.set_viewport_size({"width": 360, "height": HEIGHT})
    page.goto("/accueil")
    for name, path in (("Ma carte", "/carte"), ("Mon compte", "/compte"), ("Accueil", "/accueil")):
        keyboard.open_tab(name)
        expect(page).to_have_url(re.compile(f"{path}$"))


@of(FULL)
def test_the_first_step_skips_to_the_content(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/remboursements")
    keyboard.tab()
    skip = page.get_by_role("link", name="Aller au contenu")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    keyboard.tab()
    assert page.locator("main").evaluate("main => main.contains(document.activeElement)")
