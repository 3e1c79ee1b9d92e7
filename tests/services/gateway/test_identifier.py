"""Another identifier from « Mon compte »: the password first, and nothing typed is lost on the way. auth is played."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import pytest

from shared.clock import now, rfc3339
from tests.services.gateway.members import LAURE, Browser
from tests.services.gateway.running import Answer, Gateway, Seen, say
from tests.services.gateway.test_kept_text import auth as signs_in
from tests.services.gateway.test_kept_text import sign_in

pytestmark = pytest.mark.servers

HERE, CONFIRM, UNDO = "/compte/identifiant", "/compte/confirmer", "/annuler-changement"
WISH = {"choix": "email", "email": "nouvelle@example.org"}
NO_JSON = "Content-Type: application/json"
ACCOUNT: dict[str, object] = {
    "member_number": LAURE, "first_name": "Laure", "last_name": "Dupont", "email_masked": "l***@example.org",
    "identifier_kind": "email", "required_actions": [], "confirmed_until": None,
}  # fmt: skip


class Auth:
    """Knows one password, `juste`, and takes a wish once it was given."""

    def __init__(self) -> None:
        self.confirmed = False
        self.wished: list[object] = []

    async def answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        status, body = self._answer(seen)
        await say(writer, status, json.dumps(body).encode(), NO_JSON)

    def _answer(self, seen: Seen) -> tuple[str, object]:
        asked, body = seen.target.removeprefix("/api/v1"), json.loads(seen.body or b"{}")
        if asked == "/session/step-up":
            self.confirmed = body["password"] == "juste"
            errors = [{"field": "password", "code": "wrong_password"}]
            wrong = {"code": "wrong_password", "attempts_left": 1, "errors": errors}
            return ("200 OK", {}) if self.confirmed else ("422 Unprocessable Content", wrong)
        if asked == "/account/identifier":
            if not self.confirmed:
                return "403 Forbidden", {"code": "step_up_required"}
            self.wished.append(body)
            return "202 Accepted", {"status": "activation_sent"}
        if asked == "/account":
            return "200 OK", ACCOUNT | {"confirmed_until": "2999-01-01T00:00:00Z" if self.confirmed else rfc3339(now())}
        return "200 OK", {"access_token": "x", "refresh_token": "y", "expires_in": 300}


async def test_the_password_is_asked_before_the_form_which_then_opens(gateway: Gateway) -> None:
    browser, auth = Browser(gateway), Auth()
    async with gateway.origin("auth", auth.answer):
        page = await browser.get(f"{HERE}?choix=member_number")
        suite = quote(f"{HERE}?choix=member_number", safe="")
        assert (page.status, page.headers["location"]) == (303, f"{CONFIRM}?suite={suite}")
        page = await browser.get(page.headers["location"])
        assert page.hidden("suite") == f"{HERE}?choix=member_number"
        page = await browser.post(CONFIRM, {"mot_de_passe": "", "suite": page.hidden("suite")})
        assert (page.status, "Saisissez votre mot de passe." in page.page) == (422, True)
        page = await browser.post(CONFIRM, {"mot_de_passe": "faux", "suite": page.hidden("suite")})
        assert (page.status, "Il vous reste 1 essai." in page.page, "faux" in page.page) == (422, True, False)
        page = await browser.post(CONFIRM, {"mot_de_passe": "juste", "suite": page.hidden("suite")})
        assert (page.status, page.headers["location"]) == (303, f"{HERE}?choix=member_number")
        page = await browser.get(page.headers["location"])
        assert (page.status, 'value="member_number" checked' in page.page) == (200, True)


async def test_what_was_typed_survives_the_password_that_is_asked_meanwhile(gateway: Gateway) -> None:
    browser, auth = Browser(gateway), Auth()
    async with gateway.origin("auth", auth.answer):
        page = await browser.post(HERE, WISH)
        assert (page.status, "Confirmez que c’est bien vous" in page.page) == (200, True)
        assert WISH["email"] not in page.page
        for password in ("faux", "juste"):
            kept = {"suite": page.hidden("suite"), "garde": page.hidden("garde")}
            page = await browser.post(CONFIRM, {"mot_de_passe": password, **kept})
        assert (page.status, f'data-shown-at="{HERE}"' in page.page) == (200, True)
        assert f'value="{WISH["email"]}"' in page.page
        assert auth.wished == []  # the member presses the button, nobody else
        page = await browser.post(HERE, WISH)
    assert (page.status, page.headers["location"]) == (303, "/compte?fait=adresse")
    assert auth.wished == [{"kind": "email", "email": WISH["email"]}]


async def test_it_survives_the_end_of_the_session_too(gateway: Gateway) -> None:
    browser, auth = Browser(gateway), Auth()
    async with gateway.origin("auth", auth.answer):
        page = await browser.post(HERE, WISH)
        kept = {"suite": page.hidden("suite"), "garde": page.hidden("garde")}
        del browser.cookies["session"]
        page = await browser.post(CONFIRM, {"mot_de_passe": "juste", **kept})
        assert (page.status, "juste" in page.page) == (401, False)
    async with gateway.origin("auth", signs_in(account=ACCOUNT)):
        page = await sign_in(browser, page)
    assert (page.status, f'value="{WISH["email"]}"' in page.page) == (200, True)


@pytest.mark.parametrize("suite", ["https://elsewhere.example/", "//elsewhere.example", ""])
async def test_nobody_is_sent_elsewhere(gateway: Gateway, suite: str) -> None:
    browser = Browser(gateway)
    async with gateway.origin("auth", Auth().answer):
        assert (await browser.get(f"{CONFIRM}?suite={quote(suite, safe='')}")).hidden("suite") == "/compte"
        page = await browser.post(CONFIRM, {"mot_de_passe": "juste", "suite": suite})
    assert (page.status, page.headers["location"]) == (303, "/compte")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "Choisissez l’adresse mail ou le numéro d’adhérent."),
        ({"choix": "email", "email": " "}, "Saisissez une adresse mail, par exemple"),
    ],
)
async def test_what_is_missing_is_said_before_asking(gateway: Gateway, wish: dict[str, str], said: str) -> None:
    auth = Auth()
    async with gateway.origin("auth", auth.answer):
        page = await Browser(gateway).post(HERE, wish)
    assert (page.status, said in page.page) == (422, True)


async def test_opening_the_link_that_undoes_asks_nobody_and_its_button_asks_auth(gateway: Gateway) -> None:
    browser = Browser(gateway)
    asked: list[tuple[str, str, object]] = []

    async def undone(seen: Seen, writer: asyncio.StreamWriter) -> None:
        asked.append((seen.method, seen.target, json.loads(seen.body)))
        await say(writer, "200 OK", b'{"status": "active"}', NO_JSON)

    async with gateway.origin("auth", undone):
        page = await browser.get(f"{UNDO}?token=once")
        assert (page.status, page.hidden("token"), asked) == (200, "once", [])
        page = await browser.post(UNDO, {"token": page.hidden("token")})
    assert (page.status, page.headers["location"]) == (303, f"{UNDO}/fait")
    assert asked == [("POST", "/api/v1/account/identifier/undo", {"token": "once"})]
    assert "session" not in browser.cookies


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("409 Conflict", "link_used", "Ce lien a déjà servi"),
        ("409 Conflict", "identifier_taken", "Cette adresse sert déjà d’identifiant"),
        ("410 Gone", "link_expired", "Ce lien n’est plus valable"),
    ],
)
async def test_a_link_that_cannot_undo_says_what_to_do(gateway: Gateway, status: str, code: str, said: str) -> None:
    async with gateway.origin("auth", _refuses(status, code)):
        page = await Browser(gateway).post(UNDO, {"token": "once"})
    assert (str(page.status), said in page.page, "once" in page.page) == (status[:3], True, False)
    assert (await Browser(gateway).get(UNDO)).status == 410


def _refuses(status: str, code: str) -> Answer:
    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, status, json.dumps({"code": code}).encode(), NO_JSON)

    return answer
