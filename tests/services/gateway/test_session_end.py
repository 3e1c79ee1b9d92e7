"""The end of a session for want of activity: when, for whom, what does not count, and that auth closes it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.services.gateway.members import KEYRING, KEYS, LAURE, PAUL, Browser, pair
from tests.services.gateway.running import Gateway, Seen, begin_chunks, say

pytestmark = pytest.mark.servers

PAGE = "/messages/nouveau"
"""A personal page that asks no service for anything."""
THIRTY_DAYS_S = 30 * 24 * 3600
OVER = "15 minutes sans activité"


async def auth(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Closes, renews, and opens Laure's session."""
    if seen.method == "DELETE":
        await say(writer, "204 No Content", b"")
    else:
        await say(writer, "200 OK", pair(LAURE), "Content-Type: application/json")


async def opens(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Opens Laure's session, and says when it ends."""
    body = json.loads(pair(LAURE)) | _ends_in(THIRTY_DAYS_S)
    await say(writer, "200 OK", json.dumps(body).encode(), "Content-Type: application/json")


def seen_at(browser: Browser) -> float:
    """The last activity noted in the browser's cookie."""
    noted: float = json.loads(KEYRING.open_at_rest(browser.cookies["session"], context="session"))["seen_at"]
    return noted


def token_of(browser: Browser) -> str:
    """The access token in the browser's cookie."""
    held: str = json.loads(KEYRING.open_at_rest(browser.cookies["session"], context="session"))["access_token"]
    return held


async def test_a_session_ends_15_minutes_after_the_last_activity_and_says_why(gateway: Gateway) -> None:
    async with gateway.origin("auth", auth) as asked:
        still = Browser(gateway, seen_s=880)
        assert (await still.get(PAGE)).status == 200
        assert asked.seen == []
        over = Browser(gateway, seen_s=901)
        answer = await over.get(f"{PAGE}?a=b")
    assert (answer.status, answer.headers["location"]) == (303, "/?suite=%2Fmessages%2Fnouveau%3Fa%3Db")
    assert "session" not in over.cookies
    (closed,) = asked.seen
    assert (closed.method, closed.target) == ("DELETE", "/api/v1/session")
    assert closed.all("authorization")[0].startswith("Bearer head.")
    page = (await over.get(answer.headers["location"])).page
    assert OVER in page
    assert "Connectez-vous pour continuer." not in page
    assert OVER in (await over.get("/")).page
    for path in ("/nulle-part", "/mot-de-passe-perdu"):
        assert "Se déconnecter" not in (await Browser(gateway, seen_s=901).get(path)).page
    assert OVER not in (await Browser(gateway, member=None).get("/?suite=%2Fcompte")).page


async def test_the_front_door_closes_a_session_that_is_over_too(gateway: Gateway) -> None:
    over = Browser(gateway, seen_s=901)
    async with gateway.origin("auth", auth) as asked:
        page = await over.get("/")
    assert (page.status, OVER in page.page, len(asked.seen)) == (200, True, 1)
    assert "session" not in over.cookies


async def test_the_words_go_with_the_next_sign_in(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    async with gateway.origin("auth", auth):
        await browser.get("/")
        fields = {"identifiant": "12345678", "mot_de_passe": "x", "suite": PAGE}
        answer = await browser.post("/", fields, opened_by=None)
    assert (answer.status, answer.headers["location"]) == (303, PAGE)
    assert set(browser.cookies) == {"csrf", "session"}


async def test_a_filtered_list_is_come_back_to_whatever_it_is_filtered_by(gateway: Gateway) -> None:
    filtered = f"/remboursements?filtre={'x' * 4_000}"
    async with gateway.origin("auth", auth):
        browser = Browser(gateway, member=None)
        fields = {"identifiant": "12345678", "mot_de_passe": "x", "suite": filtered}
        answer = await browser.post("/", fields, opened_by=None)
    assert (answer.status, answer.headers["location"]) == (303, filtered)


async def test_a_token_that_ran_out_meanwhile_is_renewed_to_close_the_session(gateway: Gateway) -> None:
    over = Browser(gateway, seen_s=901, token_lives_s=-600)
    async with gateway.origin("auth", auth) as asked:
        assert (await over.get(PAGE)).status == 303
    assert [seen.target for seen in asked.seen] == ["/api/v1/session/refresh", "/api/v1/session"]
    assert "session" not in over.cookies


@pytest.mark.parametrize("lives_s", [300, -600])
async def test_who_signs_in_ends_the_session_that_the_browser_held(gateway: Gateway, lives_s: int) -> None:
    browser = Browser(gateway, member=PAUL, trusted=True, token_lives_s=lives_s)
    held = token_of(browser)
    async with gateway.origin("auth", auth) as asked:
        answer = await browser.post("/", {"identifiant": "12345678", "mot_de_passe": "x"}, opened_by=None)
    assert answer.status == 303
    renewed = [("POST", "/api/v1/session/refresh")] if lives_s < 0 else []
    expected = [("POST", "/api/v1/session"), *renewed, ("DELETE", "/api/v1/session")]
    assert [(seen.method, seen.target) for seen in asked.seen] == expected
    assert (asked.seen[-1].all("authorization") == [f"Bearer {held}"]) is (lives_s > 0)
    assert token_of(browser) != held


async def test_a_sign_in_that_is_refused_leaves_the_session_that_the_browser_held(gateway: Gateway) -> None:
    async def refuses(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"code": "invalid_credentials", "attempts_left": 1}).encode()
        await say(writer, "401 Unauthorized", body, "Content-Type: application/problem+json")

    browser = Browser(gateway)
    held = token_of(browser)
    async with gateway.origin("auth", refuses) as asked:
        answer = await browser.post("/", {"identifiant": "12345678", "mot_de_passe": "x"}, opened_by=None)
    assert (answer.status, len(asked.seen), token_of(browser)) == (422, 1, held)


async def test_the_page_leads_to_sign_in_while_auth_is_away(gateway: Gateway) -> None:
    over = Browser(gateway, seen_s=901)
    assert (await over.get(PAGE)).status == 303
    assert "session" not in over.cookies


async def test_on_the_members_own_device_nothing_ends(gateway: Gateway) -> None:
    own = Browser(gateway, seen_s=100_000, trusted=True)
    page = await own.get(PAGE)
    assert (page.status, "data-session" in page.page) == (200, False)
    assert json.loads((await own.get("/session/reste")).page) == {"seconds": None}


async def test_a_session_sealed_by_the_release_before_goes_on_and_ends_too(gateway: Gateway) -> None:
    before = Browser(gateway)
    before.hold({})
    assert (await before.get(PAGE)).status == 200
    forgotten = Browser(gateway, token_lives_s=-901)
    forgotten.hold({})
    assert (await forgotten.get(PAGE)).status == 303


@pytest.mark.parametrize("path", [PAGE, "/nulle-part", "/"])
async def test_what_the_member_asks_for_counts_once_a_minute(gateway: Gateway, path: str) -> None:
    browser = Browser(gateway, seen_s=120)
    await browser.get(path)
    assert seen_at(browser) > time.time() - 60
    fresh = Browser(gateway, seen_s=5)
    assert "session" not in (await fresh.get(path)).cookies


async def test_what_a_script_asks_by_itself_does_not_count_and_is_refused_at_the_end(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=120)
    for path, header in ((PAGE, "X-Live: 1"), ("/session/reste", "Accept: */*")):
        assert (await browser.get(path, header)).status == 200
        assert seen_at(browser) < time.time() - 110
    renewed = Browser(gateway, seen_s=120, token_lives_s=10)
    async with gateway.origin("auth", auth):
        assert "session" in (await renewed.get(PAGE, "X-Live: 1")).cookies
        assert seen_at(renewed) < time.time() - 110
        assert (await Browser(gateway, seen_s=901).get(PAGE, "X-Live: 1")).status == 303
        assert (await Browser(gateway, seen_s=901).get("/stream")).status == 401


async def test_the_live_stream_ends_with_the_session() -> None:
    async def stands(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await begin_chunks(writer, "text/event-stream")
        await asyncio.sleep(60)

    with Gateway(COOKIE_KEYS=KEYS, SESSION_IDLE_SECONDS="4") as gateway:
        browser = Browser(gateway)
        async with gateway.origin("claims", stands) as claims:
            request = f"GET /stream HTTP/1.1\nHost: portal\nCookie: session={browser.cookies['session']}"
            async with gateway.open(f"{request}\nConnection: close") as reader:
                told = await asyncio.wait_for(reader.read(), 15)
        assert (b"200 OK" in told, len(claims.seen)) == (True, 1)
        assert (await browser.get("/stream")).status == 401


async def test_a_page_is_told_how_long_is_left_and_its_end(gateway: Gateway) -> None:
    async with gateway.origin("auth", auth) as asked:
        left = json.loads((await Browser(gateway, seen_s=600).get("/session/reste")).page)["seconds"]
        assert 200 < left <= 300
        over = Browser(gateway, seen_s=901)
        assert json.loads((await over.get("/session/reste")).page) == {"seconds": 0}
        assert json.loads((await over.get("/session/reste")).page) == {"seconds": 0}
    assert [seen.method for seen in asked.seen] == ["DELETE"]
    assert OVER in (await over.get("/")).page


async def test_the_warning_extends_the_session_for_the_script_and_without(gateway: Gateway) -> None:
    for headers, status in ((["X-Script: 1"], 204), ([], 303)):
        browser = Browser(gateway, seen_s=840)
        answer = await browser.post("/session/prolonger", {"suite": PAGE}, *headers)
        assert answer.status == status
        assert seen_at(browser) > time.time() - 60
        assert answer.headers.get("location", PAGE) == PAGE
    over = Browser(gateway, seen_s=901)
    assert (await over.post("/session/prolonger", {"suite": PAGE}, "X-Script: 1")).status == 303
    for path in ("/session/prolonger", "/reprendre"):
        assert (await Browser(gateway).post(path, {"csrf": "forged"})).status == 403


@pytest.mark.parametrize("ticked", [True, False])
async def test_only_a_tick_makes_the_device_the_members_own(gateway: Gateway, ticked: bool) -> None:
    browser = Browser(gateway, member=None)
    page = (await browser.get("/")).page
    assert 'name="appareil_personnel" value="true" aria-describedby="appareil_personnel-aide">' in page
    fields = {"identifiant": "12345678", "mot_de_passe": "x"} | ({"appareil_personnel": "true"} if ticked else {})
    agent = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
    )
    async with gateway.origin("auth", opens) as asked:
        answer = await browser.post("/", fields, f"User-Agent: {agent}", opened_by=None)
    told = json.loads(asked.seen[0].body)
    assert (told["trust_device"], told["device_name"]) == (ticked, "Chrome sur Windows")
    session = json.loads(KEYRING.open_at_rest(browser.cookies["session"], context="session"))
    assert session["trusted"] is ticked
    assert answer.cookies["session"]["expires"] == ""
    assert _kept(answer.cookies["session"]["max-age"], THIRTY_DAYS_S if ticked else None)


@pytest.mark.parametrize("ticked", [True, False])
async def test_the_members_own_device_keeps_its_session_and_stays_known_when_the_browser_closes(
    gateway: Gateway, ticked: bool
) -> None:
    browser = Browser(gateway, member=None)
    fields = {"identifiant": "12345678", "mot_de_passe": "x"} | ({"appareil_personnel": "true"} if ticked else {})

    async def knows(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        body = json.loads(pair(LAURE)) | {"device_token": "d"} | _ends_in(30 * 24 * 3600)
        await say(writer, "200 OK", json.dumps(body).encode(), "Content-Type: application/json")

    async with gateway.origin("auth", knows):
        answer = await browser.post("/", fields, opened_by=None)
    assert _kept(answer.cookies["device"]["max-age"], 395 * 24 * 3600 if ticked else None)

    # Whatever sets the cookie again on the way keeps the session's own end.
    ended = {"trusted": ticked, "seen_at": time.time() - 120, "ends_at": int(time.time()) + 3600}
    for lives_s in (300, 10):
        later = Browser(gateway)
        later.hold({**ended, "expires_at": int(time.time()) + lives_s})
        async with gateway.origin("auth", renews):
            answer = await later.get(PAGE)
        assert _kept(answer.cookies["session"]["max-age"], 3600 if ticked else None)


async def renews(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    body = json.loads(pair(LAURE)) | _ends_in(3600)
    await say(writer, "200 OK", json.dumps(body).encode(), "Content-Type: application/json")


def _ends_in(seconds: int) -> dict[str, str]:
    return {"session_ends_at": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}


def _kept(max_age: str, seconds: int | None) -> bool:
    """Whether a cookie is kept for that long, within the minute that a busy machine may take; none: until it closes."""
    if seconds is None:
        return max_age == ""
    return seconds - 60 < int(max_age) <= seconds


async def test_a_form_is_never_taken_in_another_members_session(gateway: Gateway) -> None:
    browser = Browser(gateway, member=PAUL)
    refused = await browser.post("/session/prolonger", {}, opened_by=LAURE)
    assert (refused.status, "n’est plus valable" in refused.page) == (403, True)
    assert (await browser.post("/session/prolonger", {}, opened_by=PAUL)).status == 303
    assert (await browser.post("/session/prolonger", {}, opened_by=None)).status == 303
    older = KEYRING.seal_at_rest(browser.cookies["csrf"], context="csrf")
    assert (await browser.post("/session/prolonger", {"csrf": older})).status == 303
    page = await browser.get(PAGE)
    opened = json.loads(KEYRING.open_at_rest(page.hidden("csrf"), context="csrf"))
    assert opened == [browser.cookies["csrf"], PAUL]
