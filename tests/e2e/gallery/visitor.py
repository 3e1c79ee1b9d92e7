"""A browser that draws nothing: reads pages and sends forms by HTTP, and hands its cookies to one that draws."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import APIResponse, Browser, BrowserContext, StorageState

from tests.solving import answer

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Visitor:
    """One browser's cookies."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._context: BrowserContext = browser.new_context(base_url=origin, locale="fr-FR")

    def read(self, path: str) -> str:
        """The page there, whatever its status."""
        return self._context.request.get(path).text()

    def send(
        self, page: str, typed: Mapping[str, Any], *, to: str = "", with_file: bool = False, status: int = 303
    ) -> APIResponse:
        """Send a form of `page`, to `to` or to the page's own address; it must be taken, or be answered with `status`.

        Answers its redirection.
        """
        found = _CSRF.search(self.read(page))
        assert found, f"no form on {page}"
        form = {"csrf": html.unescape(found[1]), **typed}
        part: dict[str, Any] = {"multipart": form} if with_file else {"form": form}
        answer = self._context.request.post(to or page.partition("?")[0], max_redirects=0, **part)
        assert answer.status == status, f"{page}: {answer.status} {answer.text()}"
        return answer

    def sign_in(self, identifier: str, password: str) -> None:
        """By the form of the front door."""
        self.send("/", {"identifiant": identifier, "mot_de_passe": password})

    def solved(self) -> str:
        """The answer to a new challenge."""
        return answer(self._context.request.get("/api/v1/challenges").json())

    def cookies(self) -> StorageState:
        """For `new_context(storage_state=…)`: whoever is signed in here is signed in there."""
        return self._context.storage_state()

    def close(self) -> None:
        """Forget everything."""
        self._context.close()
