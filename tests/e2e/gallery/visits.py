"""Getting to a state, in a browser of its own, and what went wrong on the way."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request, Response

from tests.e2e.gallery.cast import Cast
from tests.e2e.gallery.measures import SHIFTS
from tests.e2e.gallery.states import State
from tests.stack import RunningPortal

TIMEOUT_MS: Final = 20_000
HEIGHT: Final = 900
LASTS_S: Final = 150.0
LOCALES: Final = {"fr": "fr-FR", "en": "en-GB"}


@dataclass(frozen=True)
class View:
    """Who looks: language of the browser, width of the window in CSS px, colours; `bypass_csp`: styles can be added."""

    language: str = "fr"
    width: int = 360
    scheme: Literal["light", "dark"] = "light"
    bypass_csp: bool = False

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{self.scheme}"


class Visit:
    """A state that is open. `faults`: what failed while it was opened."""

    def __init__(self, page: Page, state: State) -> None:
        self.page, self._state = page, state
        self.faults: list[str] = []
        self.opened_at = 0.0
        self._status = 0
        self._hears: dict[Any, Any] = {
            "response": self._answered,
            "requestfailed": self._failed,
            "pageerror": self._broke,
            "console": self._said,
        }

    def open(self, ids: Mapping[str, str]) -> None:
        """Go there; the page must end with the status that the state has."""
        state = self._state
        for event, hear in self._hears.items():
            self.page.on(event, hear)
        self.page.goto(state.path.format_map(ids))
        if state.before:
            state.before(self.page)
        for _ in range(state.times if state.typed is not None else 0):
            self._send({name: text.format_map(ids) for name, text in (state.typed or {}).items()})
        self.opened_at = time.monotonic()
        assert self._status == state.status, f"{state.name}: {self._status} instead of {state.status}"

    def settle(self, seconds: float) -> None:
        """Until that long after it was loaded."""
        left = self.opened_at + seconds - time.monotonic()
        self.page.wait_for_timeout(max(0, left * 1000))

    def leave(self) -> None:
        """What the page does from now on is another visit's."""
        for event, hear in self._hears.items():
            self.page.remove_listener(event, hear)

    def _send(self, typed: Mapping[str, str]) -> None:
        path = self._state.form or self.page.evaluate("location.pathname")
        form = self.page.locator(f'main form[action="{path}"]')
        for name, text in typed.items():
            _fill(form, name, text)
        with self.page.expect_response(_ends_a_post):
            form.locator('[type="submit"]').first.click()
        self.page.wait_for_load_state("load")
        self.page.get_by_role("heading", level=1).wait_for()

    def _answered(self, answer: Response) -> None:
        page_itself = answer.request.is_navigation_request() or _first(answer).method == "POST"
        if page_itself:
            self._status = answer.status
        if answer.status >= 400 and not (page_itself and answer.status in {self._state.status, 422}):
            self.faults.append(f"{answer.status}: {answer.url}")

    def _failed(self, request: Request) -> None:
        of_script = request.resource_type in {"fetch", "xhr", "eventsource"}
        if not (of_script and request.failure == "net::ERR_ABORTED"):  # it ended with its page
            self.faults.append(f"{request.failure}: {request.url}")

    def _broke(self, error: Error) -> None:
        self.faults.append(f"script error: {error}")

    def _said(self, message: ConsoleMessage) -> None:
        of_status = message.text.startswith("Failed to load resource")  # counted by its status
        if message.type in {"error", "warning"} and not of_status:
            self.faults.append(f"console: {message.text}")


def _ends_a_post(answer: Response) -> bool:
    return _first(answer).method == "POST" and not 300 <= answer.status < 400


def _first(answer: Response) -> Request:
    """The request that led to this answer, by whatever redirections."""
    first = answer.request
    while first.redirected_from:
        first = first.redirected_from
    return first


def _fill(form: Locator, name: str, text: str) -> None:
    found = form.locator(f'[name="{name}"]')
    if found.first.get_attribute("type") in {"radio", "checkbox"}:
        form.locator(f'[name="{name}"][value="{text}"]').check()
    elif found.evaluate("one => one.tagName") == "SELECT":
        found.select_option(text)
    else:
        found.fill(text)


class Gallery:
    """Opens any state in any view. A service that a state does without stays away until a state needs it.

    Each member has one browser a view, which goes from state to state as people do; nobody's forgets all in between.
    """

    def __init__(self, cast: Cast, portal: RunningPortal) -> None:
        self._cast, self._portal = cast, portal
        self._away = ""
        self._pages: dict[tuple[str, View], tuple[float, Page]] = {}

    @contextmanager
    def open(self, state: State, view: View) -> Iterator[Visit]:
        """The state, and what is there to see and to measure."""
        self._leave_out(state.away)
        page = self._page(state.who, view)
        page.set_viewport_size({"width": view.width, "height": HEIGHT})
        if not state.who:
            page.context.clear_cookies()
        visit = Visit(page, state)
        try:
            visit.open({**self._cast.ids, "nobody": f"{secrets.randbelow(10**8):08d}"})
            yield visit
        finally:
            visit.leave()
            if state.last:
                self._pages.pop((state.who, view))[1].context.close()

    def _page(self, who: str, view: View) -> Page:
        """Renewed before the session it was opened with would have to be: another browser has the same."""
        at, page = self._pages.get((who, view), (0.0, None))
        if page and time.monotonic() - at < LASTS_S:
            return page
        if page:
            page.context.close()
        context = self._cast.browser.new_context(
            base_url=self._cast.origin,
            locale=LOCALES[view.language],
            timezone_id="Europe/Paris",
            color_scheme=view.scheme,
            bypass_csp=view.bypass_csp,
            storage_state=self._cast.cookies(who),
        )
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(SHIFTS)
        page = context.new_page()
        self._pages[who, view] = time.monotonic(), page
        return page

    def close(self) -> None:
        """Have everything run again."""
        self._leave_out("")
        for _, page in self._pages.values():
            page.context.close()

    def _leave_out(self, service: str) -> None:
        if self._away == service:
            return
        if self._away:
            self._portal.start(self._away)
        if service:
            self._portal.kill(service)
        self._away = service
