"""What is done on a page before its form is sent, for the states that need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from playwright.sync_api import Page

from tests.e2e.gallery.cast import NEXT

NOBODY: Final = "{nobody}"
"""As an identifier: one that nobody has, another at each visit."""
LOST: Final = "/mot-de-passe-perdu"
ASKED: Final = {"identifiant": NOBODY, "securite_sociale": "284057511700128", "robot": "true"}


def forget(page: Page) -> None:
    page.context.clear_cookies()


def ask_too_often(page: Page) -> None:
    """More than one address may ask of what needs no session, within one minute."""
    csrf = page.locator('main form [name="csrf"]').first.input_value()
    for _ in range(600):  # however many fall into the minute before
        if page.context.request.post("/activation", form={"csrf": csrf, "token": "x"}).status == 429:
            return


def without_session(page: Page) -> None:
    """The next form comes from a browser whose session is over."""
    page.context.clear_cookies(name="session")


def without_csrf(page: Page) -> None:
    """The next form comes from a browser that was closed in between."""
    page.context.clear_cookies(name="csrf")


def shows_to_be_no_robot(page: Page) -> None:
    """The proof of work is done."""
    page.get_by_role("checkbox").check()
    page.locator('[name="altcha"]:not([value=""])').wait_for(state="attached")


def cannot_show(page: Page) -> None:
    """No worker for the proof of work: the form goes without it, as without JavaScript, and the hour's one has gone."""
    csrf = page.locator('main form [name="csrf"]').first.input_value()
    page.context.request.post(LOST, form={"csrf": csrf, **ASKED}, max_redirects=0)
    page.evaluate("window.Worker = undefined")


def confirm(page: Page) -> None:
    """The password again, up to the form that it opens."""
    form = page.locator('main form[action="/compte/confirmer"]')
    suite = form.locator('[name="suite"]').input_value()
    form.locator('[name="mot_de_passe"]').fill(NEXT)
    form.locator('[type="submit"]').click()
    page.locator(f'main form[action="{suite}"]').wait_for()


def with_a_strange_passkey(page: Page) -> None:
    """What the form carries is no answer of a passkey that anybody has."""
    page.locator('main [name="cle"]').evaluate("one => { one.value = '{}'; }")


def confirm_for(form: str, password: str) -> Callable[[Page], None]:
    """The same on the way to another form."""

    def confirm(page: Page) -> None:
        if page.locator('main [name="mot_de_passe"]').count():  # else this session has shown it minutes ago
            page.locator('main [name="mot_de_passe"]').fill(password)
            page.locator('main form[action="/compte/confirmer"] [type="submit"]').click()
        page.locator(f'main form[action="{form}"]').wait_for()

    return confirm


def with_a_recovery_code(page: Page) -> None:
    """The other kind of code."""
    page.locator('main [name="autre"]').click()
    page.locator('main [name="secours"]').wait_for(state="attached")


def nearly_over(page: Page) -> None:
    """The session ends in a minute and a half."""
    page.route("**/session/reste", lambda route: route.fulfill(json={"seconds": 90}), times=1)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("dialog").wait_for()


def opened_before_the_end(page: Page) -> None:
    """A form that writes, as the page still shows it that was opened while the membership went on."""
    page.evaluate(
        """() => {
          const form = document.querySelector('form[action="/deconnexion"]').cloneNode(true);
          form.action = "/messages/nouveau";
          form.append(Object.assign(document.createElement("textarea"), { name: "text" }));
          document.querySelector("main").append(form);
        }"""
    )


def take_the_idea(page: Page) -> None:
    """The four words that are offered, in both fields."""
    page.locator("[data-use]").click()
    page.locator(".strength.enough").wait_for()


def more_filters(page: Page) -> None:
    """Those that are put away at first."""
    page.locator("#filtres summary").click()
