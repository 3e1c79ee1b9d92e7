"""Mes appareils, the page behind the mail about a new device, and what browsers are called."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.device_names import device_name
from services.gateway.pages import words
from tests.services.gateway.members import LAURE, PAUL, Browser, pair
from tests.services.gateway.running import Answer, Gateway, Seen, say

HERE = "/compte/appareils"
THERE = "0190b3a2-7c1d-7e7e-8d2f-0123456789ab"
TOKEN = "once-and-never-again"
JSON = "Content-Type: application/json"

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
GALAXY = "Mozilla/5.0 (Linux; Android 14; SM-S921B)"
AGENTS = {
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari sur iPhone",
    f"{IPHONE} CriOS/126.0 Mobile/15E148 Safari/604.1": "Chrome sur iPhone",
    f"{IPAD} FxiOS/127.0 Mobile/15E148 Safari/605.1.15": "Firefox sur iPad",
    f"{MAC} Version/17.5 Safari/605.1.15": "Safari sur Mac",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) (KHTML, like Gecko) Chrome/131.0 Safari/537.36": "Chrome sur Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36 Edg/131.0": "Edge sur Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36 OPR/115.0": "Opera sur Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0": "Firefox sur Windows",
    f"{GALAXY} SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36": "Samsung Internet sur Android",
    "Mozilla/5.0 (Linux; Android 10; K) Chrome/131.0 Mobile Safari/537.36 EdgA/131.0": "Edge sur Android",
    "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0": "Firefox sur Android",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/131.0 Safari/537.36": "Chrome sur Chromebook",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0 Safari/537.36": "Chrome sur Linux",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101": "Navigateur sur Linux",
    "Firefox/133.0": "Firefox",
    "curl/8.5.0": "Navigateur",
    "": "Navigateur",
    "<script>Windows</script>" + "x" * 10_000 + "Firefox/1": "Navigateur sur Windows",
}  # fmt: skip


@pytest.mark.parametrize(("agent", "name"), AGENTS.items(), ids=AGENTS.values())
def test_a_browser_has_a_name_in_plain_words(agent: str, name: str) -> None:
    assert device_name(agent, words.translations("fr").gettext) == name


def test_the_name_is_in_the_readers_language() -> None:
    said = words.translations("en").gettext
    assert [device_name(agent, said) for agent in ("Firefox/133.0 (Windows)", "")] == ["Firefox on Windows", "Browser"]


def sessions(**changed: object) -> dict[str, object]:
    """auth's list: this browser, and another one seen at the given instants."""
    now = datetime.now(UTC)
    here = {"session_id": "a", "device_name": "Chrome sur Windows", "current": True, "trusted": False}
    there = {"session_id": THERE, "device_name": "<b>Safari</b>", "current": False, "trusted": True, **changed}
    for each in (here, there):
        each.setdefault("opened_at", now.isoformat())
        each.setdefault("last_seen_at", now.isoformat())
    return {"items": [there, here], "next_cursor": None}


def auth(listed: dict[str, object] | None = None, closes: str = "204 No Content", body: bytes = b"") -> Answer:
    """auth with that list, which answers every closing with `closes`."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.method == "GET":
            await say(writer, "200 OK", json.dumps(listed or sessions()).encode(), JSON)
        elif seen.target.endswith("/session"):
            await say(writer, "200 OK", pair(LAURE), JSON)
        else:
            await say(writer, closes, body, JSON)

    return answer


@pytest.mark.servers
async def test_the_list_says_where_since_when_and_which_one_this_is(gateway: Gateway) -> None:
    week_ago = datetime.now(UTC) - timedelta(days=7)
    listed = sessions(opened_at=week_ago.isoformat(), last_seen_at=(week_ago + timedelta(minutes=1)).isoformat())
    async with gateway.origin("auth", auth(listed)) as asked:
        page = (await Browser(gateway).get(HERE)).page
        english = (await Browser(gateway).get(HERE, "Accept-Language: en")).page
    assert [seen.target for seen in asked.seen] == ["/api/v1/sessions"] * 2
    assert page.index("Chrome sur Windows") < page.index("Cet appareil") < page.index("&lt;b&gt;Safari&lt;/b&gt;")
    assert "Connecté aujourd’hui à" in page or "Connecté hier à" in page  # at midnight
    assert page.count("Connecté le ") == page.count("Dernière activité le ") == 1
    assert page.count("Appareil personnel") == 1
    assert "Déconnecter tous les autres appareils" in page
    assert page.count(f'value="{THERE}"') == 1
    assert "Signed in on" in english
    only: dict[str, object] = {"items": [item for item in listed["items"] if item["current"]]}  # type: ignore[attr-defined]  # a list
    async with gateway.origin("auth", auth(only)):
        assert "tous les autres" not in (await Browser(gateway).get(HERE)).page


@pytest.mark.servers
@pytest.mark.parametrize(
    ("path", "closes", "target", "done"),
    [
        ("fermer", "204 No Content", f"/api/v1/sessions/{THERE}", "L’appareil est déconnecté."),
        ("fermer", "404 Not Found", f"/api/v1/sessions/{THERE}", "Cet appareil était déjà déconnecté."),
        ("fermer-les-autres", "204 No Content", "/api/v1/sessions", "Vos autres appareils sont déconnectés."),
    ],
)
async def test_a_button_closes_and_says_so(gateway: Gateway, path: str, closes: str, target: str, done: str) -> None:
    browser = Browser(gateway)
    async with gateway.origin("auth", auth(closes=closes)) as asked:
        answer = await browser.post(f"{HERE}/{path}", {"session_id": THERE})
        assert (answer.status, done in (await browser.get(answer.headers["location"])).page) == (303, True)
    assert (asked.seen[0].method, asked.seen[0].target) == ("DELETE", target)


@pytest.mark.servers
async def test_only_the_members_own_form_closes(gateway: Gateway) -> None:
    async with gateway.origin("auth", auth()) as asked:
        browser = Browser(gateway)
        for path in ("fermer", "fermer-les-autres"):
            forged = await browser.post(f"{HERE}/{path}", {"session_id": THERE, "csrf": "forged"})
            others = await browser.post(f"{HERE}/{path}", {"session_id": THERE}, opened_by=PAUL)
            assert (forged.status, others.status) == (403, 403)
        assert (await browser.post(f"{HERE}/fermer", {"session_id": "../account"})).status == 400
    assert [seen.method for seen in asked.seen if seen.method != "GET"] == []


@pytest.mark.servers
async def test_without_a_session_the_list_comes_back_after_signing_in_and_nothing_was_closed(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    async with gateway.origin("auth", auth()) as asked:
        page = await browser.post(f"{HERE}/fermer", {"session_id": THERE})
        fields = {"garde": page.hidden("garde"), "suite": page.hidden("suite"), "csrf": page.hidden("csrf")}
        back = await browser.post("/", {**fields, "identifiant": "12345678", "mot_de_passe": "x"})
    assert (page.status, back.status) == (401, 200)
    assert "Appuyez à nouveau sur le bouton" in back.page
    assert f'data-shown-at="{HERE}"' in back.page
    assert [seen.target for seen in asked.seen if THERE in seen.target] == []


@pytest.mark.servers
async def test_the_mailed_link_shows_a_button_and_the_button_alone_closes(gateway: Gateway) -> None:
    browser = Browser(gateway, member=None)
    async with gateway.origin("auth", auth()) as asked:
        opened = await browser.get(f"/fermer-session?token={TOKEN}")
        assert (opened.status, opened.hidden("token"), asked.seen) == (200, TOKEN, [])
        fields = {"token": TOKEN, "csrf": opened.hidden("csrf")}
        assert (await browser.post("/fermer-session", {"token": TOKEN, "csrf": "forged"})).status == 403
        answer = await browser.post("/fermer-session", fields)
    assert (answer.status, answer.headers["location"]) == (303, "/fermer-session/fait")
    assert "De quoi choisir un nouveau mot de passe est en route" in (await browser.get("/fermer-session/fait")).page
    (pressed,) = asked.seen
    assert (pressed.target, json.loads(pressed.body)) == ("/api/v1/sessions/closures", {"token": TOKEN})


@pytest.mark.servers
@pytest.mark.parametrize(
    ("refused", "code", "said"),
    [
        ("409 Conflict", "link_used", "Ce lien a déjà servi"),
        ("410 Gone", "link_expired", "Ce lien n’est plus valable"),
        ("422 Unprocessable Content", "validation", "Ce lien n’est plus valable"),
    ],
)
async def test_a_link_that_is_over_says_what_to_do(gateway: Gateway, refused: str, code: str, said: str) -> None:
    browser = Browser(gateway, member=None)
    async with gateway.origin("auth", auth(closes=refused, body=json.dumps({"code": code}).encode())):
        answer = await browser.post("/fermer-session", {"token": TOKEN}, opened_by=None)
    assert (answer.status, said in answer.page) == (409 if code == "link_used" else 410, True)
    assert (await browser.get("/fermer-session")).status == 410
