"""Once the membership is over the pages say so, until when all of it can be read, and offer nothing to be sent."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import product

import pytest

from tests.services.gateway.members import LAURE, Answered, Browser, pair
from tests.services.gateway.running import Answer, Gateway, Seen, say
from tests.services.gateway.test_kept_text import (
    MESSAGE,
    NEW,
    ONCE,
    OPEN_THREAD,
    SEND,
    TEXT,
    THREAD,
    document,
    says,
    sign_in,
)

pytestmark = pytest.mark.servers

ENDED = {"ended_on": "2026-10-31", "readable_until": "2028-10-30"}
ENDED_ON = "Votre adhésion a pris fin le 31 octobre 2026."
UNTIL = "Vous pouvez consulter et télécharger vos documents jusqu’au 30 octobre 2028."
REFUSED = {
    "document_id": "d-1", "kind": "invoice", "status": "refused", "received_at": "2026-10-20T10:00:00Z",
    "file_name": "facture.pdf", "reason": "Illisible", "history": [],
}  # fmt: skip
LISTS = {
    "/documents": {"items": [REFUSED]},
    "/documents/d-1": REFUSED,
    "/messages": {"items": [{**OPEN_THREAD, "unread": 0}]},
    "/messages/t-1": {**OPEN_THREAD, "unread": 0},
}


def former(gateway: Gateway, *, lives_s: int = 300) -> Browser:
    """The browser of a member whose membership is over, as auth said with the tokens."""
    browser = Browser(gateway, token_lives_s=lives_s)
    browser.hold({"seen_at": time.time(), "ended_membership": ENDED})
    return browser


def opens(ended: dict[str, str] | None) -> Answer:
    """auth opens and continues Laure's session."""

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({**json.loads(pair(LAURE)), "ended_membership": ended}).encode()
        await say(writer, "200 OK", body, "Content-Type: application/json")

    return answer


def offers(page: Answered) -> bool:
    """Whether there is a form that sends something, or a way to one."""
    ways = (f'{by}="{path}"' for by, path in product(("action", "href"), (NEW, SEND)))
    return any(way in page.page for way in (*ways, f'action="{THREAD}"'))  # a thread itself may be gone to


def says_so(page: Answered) -> bool:
    """Whether the end is said, and nothing offered that could send something."""
    return ENDED_ON in page.page and UNTIL in page.page and not offers(page)


@pytest.mark.parametrize("path", ["/documents", "/documents/d-1", "/messages", "/messages/t-1", "/accueil"])
async def test_what_there_is_can_be_read_and_nothing_be_sent(gateway: Gateway, path: str) -> None:
    documents = LISTS[path if path.startswith("/documents") else "/documents"]
    threads = LISTS[path if path.startswith("/messages") else "/messages"]
    async with gateway.origin("documents", says(documents)), gateway.origin("notifications", says(threads)):
        page = await former(gateway).get(path)
        still = await Browser(gateway).get(path)
    assert (page.status, UNTIL in page.page, offers(page)) == (200, True, False)
    assert (ENDED_ON in page.page) == (path != "/documents/d-1"), "that page says first what became of the document"
    assert "Facture" in page.page or "Mes lunettes" in page.page
    assert "à renvoyer" not in page.page
    assert ("pris fin" in still.page, offers(still)) == (False, True)


@pytest.mark.parametrize("path", [NEW, SEND])
async def test_a_form_asked_for_directly_is_not_there_either(gateway: Gateway, path: str) -> None:
    page = await former(gateway).get(path)
    assert (page.status, says_so(page), "n’a pas été envoyé" in page.page) == (403, True, False)


async def test_a_form_opened_before_is_not_passed_on_and_its_text_is_shown(gateway: Gateway) -> None:
    browser = former(gateway)
    async with (
        gateway.origin("documents", says({})) as documents,
        gateway.origin("notifications", says({})) as notifications,
    ):
        for page, name, text in (
            (await browser.post(NEW, MESSAGE), "text", TEXT),
            (await browser.post(THREAD, {"text": TEXT}), "text", TEXT),
            (await browser.send(SEND, document(browser)), "comment", "Deux pages"),
        ):
            assert (page.status, says_so(page), page.text(name)) == (403, True, text)
            assert "Ce que vous avez saisi n’a pas été envoyé." in page.page
    assert documents.seen + notifications.seen == []


async def test_no_card_is_shared_and_what_is_shared_can_be_stopped(gateway: Gateway) -> None:
    browser, shares = former(gateway), "/carte/partages"
    async with gateway.origin("claims", says({"items": []})) as asked:
        page = await browser.get(shares)
        assert (page.status, says_so(page), f'action="{shares}"' in page.page) == (200, True, False)
        assert (await browser.post(shares, {})).status == 403
        stopped = await browser.post(f"{shares}/arreter", {"share_id": ONCE})
    assert stopped.headers["location"] == f"{shares}?fait=arrete"
    assert [seen.method for seen in asked.seen] == ["GET", "DELETE"]


async def test_what_a_service_refuses_is_told_the_same_way(gateway: Gateway) -> None:
    browser = Browser(gateway)
    refusal = says({"code": "membership_ended"}, "403 Forbidden")
    async with gateway.origin("documents", refusal), gateway.origin("notifications", refusal):
        for page, name, text in (
            (await browser.post(NEW, MESSAGE), "text", TEXT),
            (await browser.send(SEND, document(browser)), "comment", "Deux pages"),
        ):
            assert (page.status, page.text(name)) == (403, text)
            assert "Votre adhésion a pris fin." in page.page


async def test_a_text_that_outlived_the_session_is_shown_after_signing_in(gateway: Gateway) -> None:
    for path in (NEW, THREAD):
        browser = Browser(gateway, seen_s=901)
        async with gateway.origin("auth", opens(ENDED)):
            page = await sign_in(browser, await browser.post(path, MESSAGE))
        assert (page.status, says_so(page), page.text()) == (403, True, TEXT)
        assert "puis envoyez-le" not in page.page


async def test_a_membership_that_goes_on_again_shows_with_the_next_tokens(gateway: Gateway) -> None:
    browser = former(gateway, lives_s=10)
    async with gateway.origin("auth", opens(None)) as asked:
        page = await browser.get(NEW)
    assert (page.status, f'action="{NEW}"' in page.page, "pris fin" in page.page) == (200, True, False)
    assert [seen.target for seen in asked.seen] == ["/api/v1/session/refresh"]
