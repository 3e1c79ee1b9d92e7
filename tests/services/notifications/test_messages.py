"""Messages with the management centre: over HTTP and Kafka, on real servers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events.auth import MemberErased, SessionsClosed
from shared.events.base import Event
from shared.events.casework import MessageAnswered
from shared.events.notifications import MessageSent
from shared.ids import new_id
from tests.processes import Service, until
from tests.services.notifications.asking import QUESTION, Asking
from tests.services.notifications.conftest import World
from tests.services.notifications.test_member_mails import CONFIRMATION, known, paid

pytestmark = pytest.mark.servers

WAITING = "Une réponse vous attend"


def answer(number: str, thread_id: str, text: str = "Votre dossier est complet.", **changes: Any) -> Event[Any]:
    data: dict[str, Any] = {
        "member_number": number,
        "thread_id": thread_id,
        "message_id": "m-1",
        "answer_id": new_id(),
        "text": text,
        "answered_at": datetime.now(UTC),
        "closes": False,
    }
    return Event.of(MessageAnswered(**(data | changes)))


def mails_of(number: str) -> dict[str, str]:
    """The jobs that a member's mails are; auth, which runs beside, has letters made."""
    return {"member_number": number, "kind": "mail_to_member"}


async def sent(world: World, number: str) -> list[MessageSent]:
    events = {event.id: event.data for event in await world.published(number)}
    return [data for data in events.values() if isinstance(data, MessageSent)]


def unread(asking: Asking, number: str) -> list[int]:
    return [thread["unread"] for thread in asking.listed(number)]


async def test_a_message_begins_a_thread_and_goes_to_casework(world: World, asking: Asking, number: str) -> None:
    made = asking.post(number, "/messages", QUESTION | {"document_ids": ["d-1"], "text": " Bonjour,\r\nmerci. \n"})
    assert made.status == 201
    thread_id = made.body["thread_id"]
    [message] = made.body["messages"]
    assert (message["sender"], message["text"], message["document_ids"]) == ("member", "Bonjour,\nmerci.", ["d-1"])
    [listed] = asking.listed(number)
    assert listed["subject"] == QUESTION["subject"]
    assert (listed["category"], listed["last_sender"], listed["unread"]) == ("reimbursement", "member", 0)
    assert listed["can_reply"] is True
    [event] = await sent(world, number)
    assert (event.thread_id, event.message_id, event.in_reply_to) == (thread_id, message["message_id"], None)
    assert (event.category, event.subject) == ("reimbursement", QUESTION["subject"])
    assert (event.text, event.document_ids) == ("Bonjour,\nmerci.", ("d-1",))


async def test_after_the_membership_nothing_is_sent_and_answers_are_read(
    world: World, asking: Asking, number: str
) -> None:
    thread_id, token = asking.written(number), asking.token(number, read_only=True)
    for path in ("/messages", f"/messages/{thread_id}/replies"):
        refused = asking.post(number, path, QUESTION, token=token)
        assert (refused.status, refused.body["code"]) == (403, "membership_ended")
    await world.publish(answer(number, thread_id))
    until("the answer is there", lambda: unread(asking, number) == [1])
    read = asking.get(number, f"/messages/{thread_id}", token=token)
    assert [message["sender"] for message in read.body["messages"]] == ["member", "centre"]
    assert unread(asking, number) == [0], "its own read mark"
    assert asking.patch(number, "/preferences", {"language": "en"}, token=token).body["language"] == "en"
    assert len(await sent(world, number)) == 1


async def test_an_answer_shows_unread_is_mailed_and_reading_marks_it(world: World, asking: Asking, number: str) -> None:
    to = f"answered.{number}@example.org"
    await known(world, number, to, activated=False, statements=False)
    thread_id = asking.written(number)
    await world.publish(answer(number, thread_id))
    until("the answer", lambda: unread(asking, number) == [1])
    [mail] = until("the mail", lambda: world.mails(to))
    assert mail["Subject"] == WAITING
    assert "lunettes" not in mail["Text"]
    assert "complet" not in mail["Text"]
    assert "Dupont" not in mail["Text"], "the address is not activated"
    assert asking.texts(number, thread_id) == [
        ("member", QUESTION["text"]),
        ("centre", "Votre dossier est complet."),
    ]
    assert unread(asking, number) == [0]
    replied = asking.post(number, f"/messages/{thread_id}/replies", {"text": "Merci."})
    assert replied.status == 201
    assert [m["sender"] for m in replied.body["messages"]] == ["member", "centre", "member"]
    first, second = await sent(world, number)
    assert (second.thread_id, second.subject, second.text) == (thread_id, first.subject, "Merci.")
    assert second.in_reply_to == replied.body["messages"][1]["message_id"]


async def test_a_repeated_answer_shows_once_and_is_mailed_once(world: World, asking: Asking, number: str) -> None:
    to = f"once.{number}@example.org"
    await known(world, number, to)
    thread_id = asking.written(number)
    first = answer(number, thread_id)
    again, last = Event.of(first.data), answer(number, thread_id, "Une autre.")
    await world.publish(first, first, again, last)
    until("both answers", lambda: unread(asking, number) == [2])
    until("both mails", lambda: len(world.mails(to)) == 3)
    until("no mail is left", lambda: not world.db["jobs"].count_documents(mails_of(number)))
    assert sorted(mail["Subject"] for mail in world.mails(to)) == [CONFIRMATION, WAITING, WAITING]
    assert [text for _, text in asking.texts(number, thread_id)][1:] == ["Votre dossier est complet.", "Une autre."]


async def test_answers_stand_in_the_order_in_which_they_were_given(world: World, asking: Asking, number: str) -> None:
    thread_id = asking.written(number)
    now = datetime.now(UTC)
    later = answer(number, thread_id, "Seconde", answered_at=now + timedelta(seconds=2))
    await world.publish(later, answer(number, thread_id, "Première", answered_at=now + timedelta(milliseconds=1)))
    until("both answers", lambda: unread(asking, number) == [2])
    assert [text for _, text in asking.texts(number, thread_id)][1:] == ["Première", "Seconde"]


async def test_an_answer_without_a_thread_of_that_member_is_a_dead_letter(
    world: World, asking: Asking, number: str
) -> None:
    thread_id = asking.written(number)
    stranger = f"{(int(number) + 1) % 10**8:08d}"
    lost = [answer(number, new_id()), answer(stranger, thread_id)]
    await world.publish(*lost, answer(number, thread_id, "La bonne."))
    until("the answer after them", lambda: unread(asking, number) == [1])
    dead = {"topic": "casework.v1"}  # kept after the good ones of their batch are applied
    until("the dead letters", lambda: world.db["dead_letters"].count_documents(dead) == 2)
    assert {letter["reason"] for letter in world.db["dead_letters"].find(dead)} == {"unknown_thread"}
    assert asking.listed(stranger) == []


async def test_a_thread_that_casework_closed_takes_no_reply(world: World, asking: Asking, number: str) -> None:
    thread_id = asking.written(number)
    await world.publish(answer(number, thread_id, closes=True), answer(number, thread_id))
    until("the answers", lambda: unread(asking, number) == [2])
    assert asking.listed(number)[0]["can_reply"] is False
    refused = asking.post(number, f"/messages/{thread_id}/replies", {"text": "Merci."})
    assert (refused.status, refused.body["code"]) == (409, "thread_closed")
    assert len(await sent(world, number)) == 1


@pytest.mark.parametrize("reply", [False, True], ids=["first message", "reply"])
async def test_a_request_repeated_with_its_key_has_one_effect(
    world: World, asking: Asking, number: str, *, reply: bool
) -> None:
    path = f"/messages/{asking.written(number)}/replies" if reply else "/messages"
    body = {"text": "Merci."} if reply else QUESTION
    with ThreadPoolExecutor(6) as at_once:
        answers = list(at_once.map(lambda _: asking.post(number, path, body, key="key-1"), range(6)))
    assert {a.status for a in answers} == {201}
    assert len({a.body["thread_id"] for a in answers}) == 1
    assert len(asking.listed(number)) == 1
    assert len(await sent(world, number)) == (2 if reply else 1)
    assert asking.post(number, path, body, key="key-2").status == 201


async def test_someone_elses_thread_does_not_exist(world: World, asking: Asking, number: str) -> None:
    thread_id = asking.written(number)
    stranger = f"{(int(number) + 1) % 10**8:08d}"
    assert asking.get(stranger, f"/messages/{thread_id}").status == 404
    assert asking.post(stranger, f"/messages/{thread_id}/replies", {"text": "Bonjour"}).status == 404
    assert asking.get(number, f"/messages/{number}%2F{thread_id}").status == 404
    assert asking.texts(number, thread_id) == [("member", QUESTION["text"])]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"text": " \r\n "}, "text", "string_too_short"),
        ({"text": "é" * 5001}, "text", "string_too_long"),
        ({"text": "a\x00b"}, "text", "string_pattern_mismatch"),
        ({"text": "a\x1bb"}, "text", "string_pattern_mismatch"),
        ({"subject": ""}, "subject", "string_too_short"),
        ({"subject": "é" * 121}, "subject", "string_too_long"),
        ({"subject": "a\nb"}, "subject", "string_pattern_mismatch"),
        ({"category": "gossip"}, "category", "literal_error"),
        ({"document_ids": ["d"] * 11}, "document_ids", "too_long"),
        ({"document_ids": ["a b"]}, "document_ids.0", "string_pattern_mismatch"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_field(
    asking: Asking, number: str, change: dict[str, Any], field: str, code: str
) -> None:
    refused = asking.post(number, "/messages", QUESTION | change)
    assert refused.status == 422
    assert [(e["field"], e["code"]) for e in refused.body["errors"]] == [(field, code)]
    assert asking.listed(number) == []


def test_the_list_is_paged_newest_activity_first(asking: Asking, number: str) -> None:
    ids = [asking.written(number, subject=f"Question {n}") for n in range(3)]
    asking.post(number, f"/messages/{ids[0]}/replies", {"text": "Autre chose."})
    first = asking.get(number, "/messages?limit=2").body
    assert [t["thread_id"] for t in first["items"]] == [ids[0], ids[2]]
    rest = asking.get(number, f"/messages?limit=2&cursor={first['next_cursor']}").body
    assert [t["thread_id"] for t in rest["items"]] == [ids[1]]
    assert rest["next_cursor"] is None
    assert asking.get(number, "/messages?cursor=abc").status == 422


async def test_nothing_of_a_message_is_stored_in_clear(world: World, asking: Asking, number: str) -> None:
    thread_id = asking.written(number)
    await world.publish(answer(number, thread_id), answer(number, new_id(), "Une réponse égarée, complet."))
    until("the answer", lambda: unread(asking, number) == [1])
    until("the outbox is empty", lambda: world.db["outbox"].count_documents({}) == 0)
    assert world.db["messages"].count_documents({"member_number": number}) == 2
    stored = str([list(world.db[name].find()) for name in world.db.list_collection_names()])
    for word in ("lunettes", "progressifs", "complet", "égarée"):
        assert word not in stored


async def test_an_open_stream_tells_its_own_member_and_ends_with_the_session(
    world: World, asking: Asking, number: str
) -> None:
    thread_id = asking.written(number)
    stranger = f"{(int(number) + 1) % 10**8:08d}"
    token = asking.token(number, "session-1")
    with asking.stream(token) as events:
        asking.written(stranger)
        await world.publish(answer(number, thread_id))
        told = next(events)
        assert (told["event"], told["data"]) == ("message", f'{{"id": "{thread_id}"}}')
        await world.publish(Event.of(SessionsClosed(member_number=number, session_ids=("session-1",))))
        assert list(events) == []
    assert asking.get(number, "/messages", token=token).status == 401


async def test_of_an_erased_member_nothing_stays(world: World, asking: Asking, number: str) -> None:
    await world.publish(world.enrolled(number), *(world.issued(number, password) for password in ("ONE", "TWO")))
    until("two letters", lambda: len(world.letters(number)) == 2)
    letters = world.letters(number)
    thread_id = asking.written(number)
    await world.publish(answer(number, thread_id), paid(number))
    until("the answer", lambda: unread(asking, number) == [1])
    until("a mail waits", lambda: world.db["jobs"].count_documents(mails_of(number)))
    await world.publish(Event.of(MemberErased(member_number=number, at=datetime.now(UTC))))
    until("it is gone", lambda: _rows_of(world, number) == {})
    assert not any(world.has(name) for name in letters)


def _rows_of(world: World, number: str) -> dict[str, int]:
    own = {"$or": [{"member_number": number}, {"_id": number}, {"_id": {"$regex": f"^{number}/"}}]}
    names = ("members", "letters", "threads", "messages", "jobs")
    return {name: count for name in names if (count := world.db[name].count_documents(own))}


@pytest.mark.slow
async def test_after_kill_9_no_message_no_answer_and_no_mail_is_lost(
    world: World, service: Service, asking: Asking, number: str
) -> None:
    to = f"burst.{number}@example.org"
    await known(world, number, to)
    thread_id = asking.written(number)
    answers = [answer(number, thread_id, f"Réponse {n}") for n in range(30)]
    with ThreadPoolExecutor(3) as senders:
        taken = [senders.submit(_insist, asking, number, thread_id, n) for n in range(20)]
        await world.publish(*answers[:15])
        until("some came in, some mails went out", lambda: len(world.mails(to)) > 3)
        service.kill()
        await world.publish(*answers[15:])
        # As if a minute had passed: the leases of the killed one have run out.
        world.db["jobs"].update_many({"lease": {"$ne": None}}, {"$set": {"due_at": datetime.now(UTC)}})
        service.start()
        for request in taken:
            request.result(60)
    until("every answer", lambda: unread(asking, number) == [30])
    said = [text for _, text in asking.texts(number, thread_id)]
    assert sorted(said[1:]) == sorted([f"Réponse {n}" for n in range(30)] + [f"Question {n}" for n in range(20)])
    ids = {event.id for event in answers}
    until("every mail", lambda: {mail["Headers"]["X-Request-Id"][0] for mail in world.mails(to)} >= ids, within_s=60.0)
    until("the outbox is empty", lambda: world.db["outbox"].count_documents({}) == 0)
    assert sorted(event.text for event in await sent(world, number))[1:] == sorted(f"Question {n}" for n in range(20))


def _insist(asking: Asking, number: str, thread_id: str, n: int) -> None:
    """Send until it is taken, as an app does: with the same key."""

    def send() -> bool:
        try:
            path = f"/messages/{thread_id}/replies"
            return asking.post(number, path, {"text": f"Question {n}"}, key=f"key-{n}").status == 201
        except Exception:  # nobody listens
            return False

    until("the message is taken", send, within_s=60.0)
