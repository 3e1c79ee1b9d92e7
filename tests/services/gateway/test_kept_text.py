"""What was typed outlives the session: carried sealed through the sign-in, shown to its own member and nobody else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

import pytest

from tests.services.gateway.members import KEYRING, LAURE, PAUL, Answered, Browser, pair
from tests.services.gateway.running import Answer, Gateway, Seen, say

pytestmark = pytest.mark.servers

NEW, THREAD, SEND = "/messages/nouveau", "/messages/t-1", "/documents/envoyer"
ONCE = "0190b3a2-7c1d-7e7e-8d2f-0123456789ab"
TEXT = ("Été à Nîmes, « 100 % » <b>&amp; 🦷🏥 ?\n" * 200)[:5000]
MESSAGE = {"category": "card", "subject": "Où ça ?", "text": TEXT, "once": ONCE}
NO_JSON = "Content-Type: application/json"
BACK = "Vous êtes à nouveau connecté."
OPEN_THREAD = {
    "thread_id": "t-1", "subject": "Mes lunettes", "category": "card", "last_activity_at": "2026-11-20T10:00:00Z",
    "last_sender": "centre", "unread": False, "can_reply": True, "messages": [],
}  # fmt: skip


def auth(member: str = LAURE, *actions: str, account: Mapping[str, object] | None = None) -> Answer:
    """Whoever signs in is `member`, but for the password `faux`."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if b'"faux"' in seen.body:
            await say(writer, "401 Unauthorized", b'{"code": "invalid_credentials", "attempts_left": 1}', NO_JSON)
        elif seen.method == "GET":
            await say(writer, "200 OK", json.dumps(dict(account or {})).encode(), NO_JSON)
        else:
            await say(writer, "200 OK", pair(member, *actions), NO_JSON)

    return answer


def says(body: object, status: str = "200 OK") -> Answer:
    """A service that always answers so."""

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, status, json.dumps(body).encode(), NO_JSON)

    return answer


async def sign_in(browser: Browser, page: Answered, typed: str = "x") -> Answered:
    """Sign in on `page` as its form is; `typed` is the password."""
    fields = {"garde": page.hidden("garde"), "suite": page.hidden("suite"), "csrf": page.hidden("csrf")}
    return await browser.post("/", {**fields, "identifiant": "12345678", "mot_de_passe": typed})


def document(browser: Browser, **fields: str) -> bytes:
    """The form of a document as a browser writes it, the file last."""
    typed = {"csrf": browser.form_token(LAURE), "envoi": ONCE, "kind": "quote", "comment": "Deux pages", **fields}
    lines = [f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in typed.items()]
    head = '--xx\r\nContent-Disposition: form-data; name="file"; filename="secret.pdf"\r\n\r\n'
    return "".join([*lines, head]).encode() + b"%PDF-of-mine\r\n--xx--\r\n"


@pytest.mark.parametrize("held", ["over", "none"])
async def test_a_long_message_survives_the_end_and_is_sent(gateway: Gateway, held: str) -> None:
    browser = Browser(gateway, seen_s=901)
    if held == "none":
        del browser.cookies["session"]
    async with gateway.origin("auth", auth()):
        page = await browser.post(NEW, MESSAGE)
        assert page.status == 401
        assert ("15 minutes sans activité" in page.page) == (held == "over")
        assert "Été" not in page.page + str(browser.cookies) + str(page.headers)
        page = await sign_in(browser, page, "faux")
        assert "Il vous reste 1 essai." in page.page
        page = await sign_in(browser, page)
    assert (page.status, BACK in page.page, 'data-shown-at="/messages/nouveau"' in page.page) == (200, True, True)
    assert page.text() == TEXT
    assert 'value="Où ça ?"' in page.page
    assert '<option value="card" selected>' in page.page
    async with gateway.origin("notifications", says({"thread_id": "t-1"}, "201 Created")) as asked:
        fields = {**MESSAGE, "text": page.text(), "csrf": page.hidden("csrf"), "once": page.hidden("once")}
        assert (await browser.post(NEW, fields)).status == 303
    assert json.loads(asked.seen[0].body)["text"] == TEXT
    assert asked.seen[0].all("idempotency-key") == [ONCE]


async def test_a_reply_comes_back_in_its_thread_or_as_a_new_message_once_that_is_closed(gateway: Gateway) -> None:
    ended = "Cette conversation a été terminée entre-temps."
    for can_reply, status, told in ((True, 200, "Votre réponse"), (False, 422, ended)):
        browser = Browser(gateway, seen_s=901)
        thread = says({**OPEN_THREAD, "can_reply": can_reply})
        async with gateway.origin("auth", auth()), gateway.origin("notifications", thread) as asked:
            page = await sign_in(browser, await browser.post(THREAD, {"text": TEXT, "once": ONCE}))
        assert (page.status, page.text(), told in page.page) == (status, TEXT, True)
        assert [seen.method for seen in asked.seen] == ["GET"] * len(asked.seen)


async def test_another_member_gets_nothing_of_it(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    page = await browser.post(NEW, MESSAGE)
    async with gateway.origin("auth", auth(PAUL)):
        answer = await sign_in(browser, page)
    assert (answer.status, answer.headers["location"], answer.page) == (303, "/accueil", "")
    resumed = await browser.post("/reprendre", {"garde": page.hidden("garde")}, opened_by=PAUL)
    assert (resumed.status, resumed.headers["location"], resumed.page) == (303, "/accueil", "")
    paul = Browser(gateway, member=PAUL, token_lives_s=10)  # auth is away: even the token cannot be renewed
    answer = await paul.post("/reprendre", {"garde": page.hidden("garde")}, opened_by=PAUL)
    assert (answer.status, "Été" in answer.page, answer.hidden("garde")) == (503, False, "")


async def test_what_was_changed_or_is_older_than_two_hours_is_not_shown(gateway: Gateway) -> None:
    def sealed(age_s: int, context: str = "draft") -> str:
        draft = {"action": NEW, "member": LAURE, "typed": MESSAGE, "at": time.time() - age_s}
        return KEYRING.seal_at_rest(json.dumps(draft), context=context)

    good = sealed(7100)
    for garde, shown in (
        (good, True),
        (sealed(7201), False),
        (sealed(0, "session"), False),
        (good[:-8] + ("A" * 8 if good[-8:] != "A" * 8 else "B" * 8), False),
        ("rubbish", False),
    ):
        browser = Browser(gateway, member=None)
        fields = {"garde": garde, "suite": NEW, "identifiant": "12345678", "mot_de_passe": "x"}
        async with gateway.origin("auth", auth()):
            answer = await browser.post("/", fields, opened_by=None)
        assert (answer.status, "Été" in answer.page) == ((200, True) if shown else (303, False))
        assert shown or answer.headers["location"] == NEW


async def test_passwords_are_neither_in_the_page_nor_in_what_is_sealed(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901, actions=("choose_identifier", "choose_password"))
    secret = "cinq moutons bleus"
    fields = {"choix": "email", "email": "laure@exemple.fr", "decomptes": "true"}
    page = await browser.post("/premiere-connexion", {**fields, "nouveau_mot_de_passe": secret, "confirmation": secret})
    draft = json.loads(KEYRING.open_at_rest(page.hidden("garde"), context="draft"))
    assert (page.status, draft["typed"], secret in page.page) == (401, fields, False)
    account = {
        "member_number": LAURE, "first_name": "Laure", "last_name": "D.", "identifier_kind": "nir",
        "required_actions": ["choose_identifier", "choose_password"],
    }  # fmt: skip
    async with gateway.origin("auth", auth(LAURE, "choose_identifier", "choose_password", account=account)):
        page = await sign_in(browser, page)
    assert (page.status, BACK in page.page, 'value="laure@exemple.fr"' in page.page) == (200, True, True)
    assert 'name="decomptes" value="true" checked' in page.page
    assert 'name="informations" value="true" checked' not in page.page
    changing = Browser(gateway, seen_s=901)
    typed = {"mot_de_passe_actuel": secret, "nouveau_mot_de_passe": secret, "confirmation": secret}
    page = await changing.post("/compte/mot-de-passe", typed)
    assert secret not in page.page + KEYRING.open_at_rest(page.hidden("garde"), context="draft").decode()
    async with gateway.origin("auth", auth()):
        page = await sign_in(changing, page)
    assert (page.status, "saisissez-les à nouveau" in page.page) == (200, True)


async def test_a_choice_of_mails_comes_back_unsaved(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    account = {"member_number": LAURE, "first_name": "Laure", "last_name": "D.", "identifier_kind": "member_number"}
    async with gateway.origin("auth", auth(account=account)), gateway.origin("notifications", says({})) as asked:
        page = await sign_in(browser, await browser.post("/compte/mails", {"informations": "true"}))
    assert (page.status, 'name="informations" value="true" checked' in page.page) == (200, True)
    assert 'data-shown-at="/compte"' in page.page
    assert asked.seen == []


async def test_a_document_keeps_its_fields_and_asks_for_the_file_again(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    people = {"items": [], "beneficiaries": [{"rank": 1, "first_name": "Laure"}, {"rank": 2, "first_name": "Hugo"}]}
    async with gateway.origin("auth", auth()), gateway.origin("documents", says(people)) as asked:
        page = await browser.send(SEND, document(browser, beneficiary_rank="2"))
        assert (page.status, "PDF-of-mine" in page.page, asked.seen) == (401, False, [])
        page = await sign_in(browser, page)
    assert (page.status, page.text("comment"), page.hidden("envoi")) == (200, "Deux pages", ONCE)
    assert "choisissez à nouveau le fichier" in page.page
    assert 'value="quote" checked' in page.page
    assert 'name="beneficiary_rank" value="2" checked' in page.page


async def test_what_is_too_long_to_be_kept_is_said(gateway: Gateway) -> None:
    page = await Browser(gateway, seen_s=901).post(NEW, {**MESSAGE, "text": "x" * 60_000})
    assert (page.status, page.hidden("garde"), page.hidden("suite")) == (401, "", NEW)
    assert "trop long pour être gardé" in page.page


async def test_the_longest_message_fits_whatever_its_letters(gateway: Gateway) -> None:
    for letter in ("é", "🦷"):
        browser = Browser(gateway, seen_s=901)
        page = await browser.post(NEW, {"text": letter * 5000})
        async with gateway.origin("auth", auth()):
            assert (await sign_in(browser, page)).text() == letter * 5000


async def test_a_form_that_outlived_its_browsers_cookie_is_shown_again(gateway: Gateway) -> None:
    browser = Browser(gateway)
    stale = browser.form_token(LAURE)
    browser.cookies["csrf"] = "another"
    people = {"items": [], "beneficiaries": [{"rank": 1, "first_name": "Laure"}]}
    async with gateway.origin("documents", says(people)) as asked:
        for page, name, text in (
            (await browser.post(NEW, {**MESSAGE, "csrf": stale}), "text", TEXT),
            (await browser.send(SEND, document(browser, csrf=stale)), "comment", "Deux pages"),
        ):
            assert (page.status, page.text(name)) == (403, text)
            assert "Ce formulaire est resté ouvert trop longtemps." in page.page
        assert [seen.method for seen in asked.seen] == ["GET"]
    elsewhere = "Sec-Fetch-Site: cross-site"
    assert "Été" not in (await browser.post(NEW, {**MESSAGE, "csrf": stale}, elsewhere)).page
    signed_in_since = Browser(gateway, member=PAUL)
    page = await signed_in_since.post(NEW, {**MESSAGE, "csrf": stale})
    assert (page.status, "Été" in page.page, "Ce formulaire n’est plus valable" in page.page) == (403, False, True)
    restarted = Browser(gateway, member=None, cookies={})
    page = await restarted.post(NEW, {**MESSAGE, "csrf": stale})
    assert (page.status, bool(page.hidden("garde"))) == (401, True)


async def test_nothing_is_kept_of_a_form_that_no_member_opened(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    answer = await browser.post(NEW, MESSAGE, opened_by=None)
    assert (answer.status, answer.headers["location"], answer.page) == (303, "/?suite=%2F", "")


async def test_a_service_that_is_away_takes_nothing_either(gateway: Gateway) -> None:
    browser = Browser(gateway)
    page = await browser.post(THREAD, {"text": TEXT, "once": ONCE})
    assert (page.status, page.text(), "retry-after" in page.headers) == (503, TEXT, True)
    assert (await browser.post("/reprendre", {"garde": page.hidden("garde")})).status == 503
    async with gateway.origin("notifications", says(OPEN_THREAD)):
        page = await browser.post("/reprendre", {"garde": page.hidden("garde")})
    assert (page.status, page.text(), page.hidden("once")) == (200, TEXT, ONCE)
    assert f'data-shown-at="{THREAD}"' in page.page
    page = await browser.send(SEND, document(browser))
    assert (page.status, page.text("comment")) == (503, "Deux pages")


async def test_auth_away_at_the_sign_in_takes_nothing_either(gateway: Gateway) -> None:
    browser = Browser(gateway, seen_s=901)
    page = await sign_in(browser, await browser.post(NEW, MESSAGE))
    assert (page.status, "Votre saisie est toujours gardée." in page.page) == (503, True)
    async with gateway.origin("auth", auth()):
        assert (await sign_in(browser, page)).text() == TEXT


async def test_a_text_that_waits_for_its_service_is_seen_by_nobody_signed_out(gateway: Gateway) -> None:
    browser = Browser(gateway)
    page = await browser.post(THREAD, {"text": TEXT, "once": ONCE})
    stranger = Browser(gateway, member=None)
    answer = await stranger.post("/reprendre", {"garde": page.hidden("garde")}, opened_by=None)
    assert (answer.status, "Été" in answer.page) == (401, False)
