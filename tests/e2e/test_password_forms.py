"""Choosing a password: an idea for it, a hint while one types, pasting; and all of it without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.outside import Outside
from tests.e2e.pages.first_sign_in import ChoicePage, HomePage
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]

FORM = "/nouveau-mot-de-passe?token=x"
PASTED = "trois-ormes-au-bord-du-lac"


def _field(page: Page) -> Locator:
    return page.get_by_label("Nouveau mot de passe", exact=True)


def _again(page: Page) -> Locator:
    return page.get_by_label("Le même, une seconde fois")


def _hint(page: Page) -> Locator:
    """What the field is described by and a screen reader is told while one types."""
    described_by = (_field(page).get_attribute("aria-describedby") or "").split()
    hint = page.locator("[data-strength]")
    assert hint.get_attribute("id") in described_by
    assert hint.get_attribute("role") == "status"
    return hint


def test_while_one_types_the_hint_says_what_is_missing_and_nothing_is_sent(page: Page) -> None:
    page.goto(FORM)
    hint, sent = _hint(page), list[str]()
    page.on("request", lambda request: sent.append(request.url))
    for typed, said in (
        ("quatre m", "Encore 4 caractères"),
        ("quatre mots", "Encore 1 caractère"),
        ("quatre mots ", "Assez long"),
        ("\ufdfa", "Encore 11 caractères"),
        ("195208273648", "Trop simple : des chiffres seuls"),
        ("aaaabbbbcccc", "Trop simple : les mêmes caractères se répètent"),
        ("Azerty123456!", "Trop simple : un mot ou une suite que tout le monde connaît"),
        ("mnopqrstuvwxyz", "Trop simple : un mot ou une suite que tout le monde connaît"),
        ("", ""),
    ):
        _field(page).fill(typed)
        expect(hint).to_have_text(said)
    assert sent == []


def test_an_idea_can_be_changed_for_another_taken_and_shown(page: Page, portal: RunningPortal) -> None:
    page.goto(FORM)
    words = page.locator("[data-words]")
    first = words.inner_text()
    page.get_by_role("button", name="Une autre idée").click()
    expect(words).not_to_have_text(first)
    second = words.inner_text()
    page.get_by_role("button", name="Utiliser ces mots").click()
    expect(page.get_by_text("Les deux champs sont remplis.")).to_be_visible()
    expect(_hint(page)).to_have_text("Assez long")
    assert _field(page).input_value() == _again(page).input_value() == second
    assert _field(page).get_attribute("type") == "password"
    page.get_by_role("button", name="Afficher").first.click()
    assert _field(page).get_attribute("type") == "text"
    assert first not in portal.log("gateway")
    assert second not in portal.log("gateway")


def test_a_password_can_be_pasted_and_kept_by_the_browser(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(FORM)
    page.evaluate("text => navigator.clipboard.writeText(text)", PASTED)
    for field in (_field(page), _again(page)):
        assert field.get_attribute("autocomplete") == "new-password"
        field.focus()
        page.keyboard.press("Control+V")
        expect(field).to_have_value(PASTED)
    expect(_hint(page)).to_have_text("Assez long")


def test_without_a_script_the_idea_and_the_rule_stand_as_text_and_the_idea_is_accepted(
    outside: Outside, new_page: Callable[..., Page]
) -> None:
    page = new_page(java_script_enabled=False)
    newcomer = outside.enrol()
    HomePage(page).open().sign_in(newcomer.nir13, newcomer.temporary_password)
    choice = ChoicePage(page)
    expect(page.get_by_text("12 caractères au moins")).to_be_visible()
    expect(page.get_by_role("button", name="Une autre idée")).to_be_hidden()
    words = page.get_by_text("quatre mots au hasard").locator("strong").inner_text()
    choice.member_number.check()
    choice.type_password(f"{newcomer.nir13}Aa!")
    choice.submit()
    expect(page.locator("#nouveau_mot_de_passe-erreur")).to_contain_text("un de vos numéros")
    assert page.get_by_text("quatre mots au hasard").locator("strong").inner_text() != words
    choice.type_password(words)
    choice.submit()
    expect(page.get_by_role("link", name="Voir mes remboursements")).to_be_visible()
