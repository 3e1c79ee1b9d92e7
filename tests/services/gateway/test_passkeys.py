"""Passkeys on the way between browser and auth: what is passed on, and nothing typed is lost. auth is played."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from services.gateway.passkeys import credential
from shared.clock import now, rfc3339
from tests.services.gateway.members import LAURE, Browser, pair
from tests.services.gateway.running import Gateway, Seen, say
from tests.services.gateway.test_identifier import ACCOUNT, CONFIRM, NO_JSON

pytestmark = pytest.mark.servers

HERE = "/compte/cles-d-acces"
ADD, ONE = f"{HERE}/ajouter", f"{HERE}/019a9e4e-0000-7000-8000-000000000001"
SIGNED = {"id": "abc", "response": {"signature": "é"}}
PASSKEY = {
    "passkey_id": ONE.rpartition("/")[2], "name": "Téléphone <b>", "backed_up": True,
    "added_at": "2026-11-20T09:30:00Z", "used_at": None,
}  # fmt: skip


class Auth:
    """Takes the passkey `SIGNED`, and changes of the list once it was shown. `asked`: what came, by path."""

    def __init__(self, *, passkeys: int = 1) -> None:
        self.confirmed, self.passkeys = False, passkeys
        self.asked: dict[str, Any] = {}

    async def answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        asked, body = seen.target.removeprefix("/api/v1"), json.loads(seen.body or b"{}")
        self.asked[f"{seen.method} {asked}"] = body
        status, answer = self._answer(seen.method, asked, body)
        await say(writer, status, json.dumps(answer).encode(), NO_JSON)

    def _answer(self, method: str, asked: str, body: dict[str, Any]) -> tuple[str, object]:
        good = SIGNED in (body.get("credential"), body.get("passkey"))
        match asked:
            case "/session/passkey":
                refused = "401 Unauthorized", {"code": "passkey_refused"}
                return ("200 OK", json.loads(pair(LAURE))) if good else refused
            case "/session/step-up":
                self.confirmed = good
                return ("200 OK", {}) if good else ("422 Unprocessable Content", {"code": "passkey_refused"})
            case "/account":
                until = "2999-01-01T00:00:00Z" if self.confirmed else rfc3339(now())
                return "200 OK", ACCOUNT | {"confirmed_until": until, "passkeys": self.passkeys}
            case "/session/passkey/options" | "/session/step-up/options":
                return "200 OK", {"public_key": {"challenge": "x"}}
        if method == "GET":
            return "200 OK", {"items": [PASSKEY]}
        return ("200 OK", {}) if self.confirmed else ("403 Forbidden", {"code": "step_up_required"})


async def test_a_sign_in_by_passkey_is_a_sign_in_like_any_other(gateway: Gateway) -> None:
    browser, auth = Browser(gateway, member=None), Auth()
    typed = {"cle": json.dumps(SIGNED), "suite": "/remboursements", "appareil_personnel": "true"}
    async with gateway.origin("auth", auth.answer):
        page = await browser.post("/", typed, "User-Agent: Firefox/1 Windows", opened_by=None)
    assert (page.status, page.headers["location"], "session" in browser.cookies) == (303, "/remboursements", True)
    assert auth.asked == {
        "POST /session/passkey": {
            "credential": SIGNED, "device_tokens": [], "device_name": "Firefox sur Windows", "trust_device": True,
        }
    }  # fmt: skip


async def test_a_passkey_that_is_refused_is_told_and_what_was_typed_stays(gateway: Gateway) -> None:
    browser = Browser(gateway, member=None)
    async with gateway.origin("auth", Auth().answer):
        page = await browser.post("/", {"cle": "{}", "identifiant": "laure@example.org"}, opened_by=None)
    assert (page.status, "Cette clé d’accès n’a pas été acceptée." in page.page) == (422, True)
    assert 'value="laure@example.org"' in page.page
    assert "session" not in browser.cookies


async def test_what_a_script_asks_for_is_passed_on_or_leads_where_a_page_would(gateway: Gateway) -> None:
    async with gateway.origin("auth", Auth().answer):
        stranger, member = Browser(gateway, member=None), Browser(gateway)
        for browser, path in ((stranger, "/cle-d-acces/options"), (member, f"{CONFIRM}/options")):
            answer = await browser.get(path)
            assert (answer.status, json.loads(answer.page)) == (200, {"public_key": {"challenge": "x"}})
            assert answer.headers["cache-control"] == "no-store"
        answer = await member.get(f"{HERE}/options")
        suite = quote(f"{HERE}/options", safe="")
        assert (answer.status, answer.headers["location"]) == (303, f"{CONFIRM}?suite={suite}")
        assert (await stranger.get(f"{HERE}/options")).headers["location"].startswith("/?suite=")


@pytest.mark.parametrize("passkeys", [0, 1])
async def test_the_session_is_confirmed_by_a_passkey_where_there_is_one(gateway: Gateway, passkeys: int) -> None:
    browser, auth = Browser(gateway), Auth(passkeys=passkeys)
    async with gateway.origin("auth", auth.answer):
        page = await browser.get(f"{CONFIRM}?suite={HERE}")
        assert ("Utiliser une clé d’accès" in page.page) == bool(passkeys)
        page = await browser.post(CONFIRM, {"cle": "{}", "suite": HERE})
        assert (page.status, "La clé d’accès n’a pas été acceptée." in page.page) == (422, True)
        page = await browser.post(CONFIRM, {"cle": json.dumps(SIGNED), "suite": page.hidden("suite")})
    assert (page.status, page.headers["location"]) == (303, HERE)
    assert auth.asked["POST /session/step-up"] == {"passkey": SIGNED}


async def test_a_name_survives_the_confirmation_that_is_asked_meanwhile(gateway: Gateway) -> None:
    browser, auth = Browser(gateway), Auth()
    made = {"cle": json.dumps(SIGNED), "nom": "Mon ordinateur"}
    async with gateway.origin("auth", auth.answer):
        page = await browser.post(ADD, made)
        assert (page.status, "Confirmez que c’est bien vous" in page.page) == (200, True)
        kept = {"suite": page.hidden("suite"), "garde": page.hidden("garde")}
        page = await browser.post(CONFIRM, {"cle": json.dumps(SIGNED), **kept})
        assert (page.status, f'data-shown-at="{ADD}"' in page.page) == (200, True)
        assert 'value="Mon ordinateur"' in page.page
        page = await browser.post(ADD, made)
    assert (page.status, page.headers["location"]) == (303, f"{HERE}?fait=ajout")
    assert auth.asked["POST /account/passkeys"] == {"credential": SIGNED, "name": "Mon ordinateur"}


async def test_each_is_named_and_removed_after_a_question(gateway: Gateway) -> None:
    browser, auth = Browser(gateway), Auth()
    async with gateway.origin("auth", auth.answer):
        page = await browser.get(HERE)
        assert (page.status, "Téléphone &lt;b&gt;" in page.page) == (200, True)
        page = await browser.get(f"{ONE}/supprimer")
        assert (page.status, page.headers["location"].startswith(f"{CONFIRM}?suite=")) == (303, True)
        auth.confirmed = True
        page = await browser.post(ONE, {"nom": " "})
        assert (page.status, "Donnez-lui un nom" in page.page) == (422, True)
        assert (await browser.post(ONE, {"nom": "x" * 61})).status == 422
        assert (await browser.post(ONE, {"nom": "Clé USB"})).headers["location"] == f"{HERE}?fait=nom"
        assert (await browser.get(f"{ONE}/supprimer")).status == 200
        assert (await browser.post(f"{ONE}/supprimer", {})).headers["location"] == f"{HERE}?fait=suppression"
        assert (await browser.get(ONE.replace("1", "2"))).status == 404
    assert auth.asked[f"PATCH {ONE.replace(HERE, '/account/passkeys')}"] == {"name": "Clé USB"}


@pytest.mark.parametrize(
    "text",
    ["", "[", "[1]", '"x"', "[" * 20_000, '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}', '{"a": 12345678901}'],
)
def test_what_is_no_answer_of_a_passkey_is_an_empty_one(text: str) -> None:
    assert credential(text) == {}
