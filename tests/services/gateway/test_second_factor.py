"""The code after the password: nothing else is shown before it, and nothing is lost on the way. auth is played."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.services.gateway.members import LAURE, Browser, pair
from tests.services.gateway.running import Gateway, Seen, say
from tests.services.gateway.test_kept_text import MESSAGE, NEW, TEXT, sign_in

pytestmark = pytest.mark.servers

CODE = "/connexion/code"
NO_JSON = "Content-Type: application/json"


class Auth:
    """Asks for a code, and knows one: `123 456`; a recovery code it takes never."""

    def __init__(self) -> None:
        self.shown = False
        self.asked: list[object] = []

    async def answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if not seen.target.endswith("/session/second-factor"):
            await say(writer, "200 OK", pair(LAURE, *([] if self.shown else ["second_factor"])), NO_JSON)
            return
        body = json.loads(seen.body)
        self.asked.append(body)
        if body == {"code": "123 456"}:
            self.shown = True
            await say(writer, "204 No Content", b"")
        elif "recovery_code" in body:
            headers = (NO_JSON, "Retry-After: 900")
            await say(writer, "429 Too Many Requests", b'{"code": "too_many_requests", "attempts_left": 0}', *headers)
        else:
            errors = [{"field": "code", "code": "wrong_code"}]
            wrong = json.dumps({"code": "wrong_code", "attempts_left": 1, "errors": errors}).encode()
            await say(writer, "422 Unprocessable Content", wrong, NO_JSON)


async def test_every_page_leads_to_the_code_and_the_code_to_where_one_was_going(gateway: Gateway) -> None:
    browser, auth = Browser(gateway, member=None), Auth()
    async with gateway.origin("auth", auth.answer), gateway.origin("claims", _wants_more):
        page = await browser.post(
            "/", {"identifiant": "12345678", "mot_de_passe": "x", "suite": "/carte"}, opened_by=None
        )
        assert (page.status, page.headers["location"]) == (303, f"{CODE}?suite=%2Fcarte")
        for path in ("/carte", "/?suite=/carte"):
            page = await browser.get(path)
            assert (page.status, page.headers["location"]) == (303, f"{CODE}?suite=%2Fcarte")
        page = await browser.get(f"{CODE}?suite=%2Fcarte")
        assert (page.status, page.hidden("suite"), "Rubriques" in page.page) == (200, "/carte", False)
        assert 'inputmode="numeric"' in page.page
        assert 'autocomplete="one-time-code"' in page.page
        page = await browser.post(CODE, {"code": " ", "suite": "/carte"})
        assert (page.status, "Saisissez le code à 6 chiffres." in page.page) == (422, True)
        page = await browser.post(CODE, {"code": "654321", "suite": "/carte"})
        assert (page.status, "Il vous reste 1 essai." in page.page, "654321" in page.page) == (422, True, False)
        page = await browser.post(CODE, {"code": "123 456", "suite": "//elsewhere.example"})
        assert (page.status, page.headers["location"]) == (303, "/accueil")
        page = await browser.get(f"{CODE}?suite=%2Fcarte")
        assert (page.status, page.headers["location"]) == (303, "/carte"), "it is not asked for twice"
    assert auth.asked == [{"code": "654321"}, {"code": "123 456"}]


async def test_a_text_that_was_kept_comes_back_behind_the_code(gateway: Gateway) -> None:
    browser, auth = Browser(gateway, seen_s=901), Auth()
    async with gateway.origin("auth", auth.answer):
        page = await sign_in(browser, await browser.post(NEW, MESSAGE))
        assert (page.status, "Saisissez votre code de validation" in page.page) == (200, True)
        page = await browser.post(CODE, {"autre": "1", "garde": page.hidden("garde")})
        assert "Saisissez un code de secours" in page.page
        kept = {"secours": "1", "garde": page.hidden("garde")}
        page = await browser.post(CODE, {"code": "ACDE-FGHJ-KMNP", **kept})
        assert (page.status, "Pour des raisons de sécurité, réessayez après" in page.page) == (422, True)
        page = await browser.post(CODE, {"code": "123 456", "garde": page.hidden("garde")})
    assert (page.status, page.text()) == (200, TEXT)


async def test_the_session_that_ends_meanwhile_begins_again_with_both(gateway: Gateway) -> None:
    browser, auth = Browser(gateway, actions=("second_factor",)), Auth()
    async with gateway.origin("auth", auth.answer):
        del browser.cookies["session"]
        page = await browser.post(CODE, {"code": "123 456", "suite": "/carte"})
        assert (page.status, "123 456" in page.page) == (401, False)
        page = await sign_in(browser, page)
        assert "Saisissez votre code de validation" in page.page
        page = await browser.post(CODE, {"code": "123 456", "garde": page.hidden("garde")})
    assert (page.status, page.headers["location"]) == (303, "/carte")


async def _wants_more(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    await say(writer, "403 Forbidden", b'{"code": "required_action"}', NO_JSON)
