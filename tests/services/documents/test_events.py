"""documents and Kafka: decisions of the management centre, deliveries to members, erasure, closed sessions."""

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.events.auth import MemberErased
from shared.events.base import Event
from shared.events.casework import DocumentDelivered, DocumentProcessed, LetterPosted
from tests.processes import until
from tests.services.documents.conftest import PDF, World, large_pdf, sha256

pytestmark = pytest.mark.servers


def processed(number: str, document_id: str, outcome: str = "accepted", minutes: int = 0, **more: Any) -> Event[Any]:
    """A decision, `minutes` after now."""
    data = {"member_number": number, "document_id": document_id, "outcome": outcome, **more}
    return Event.of(DocumentProcessed.model_validate(data), time=clock.now() + timedelta(minutes=minutes))


def delivered(number: str, name: str, content: bytes, document_id: str = "a/1", minutes: int = 0) -> Event[Any]:
    """An attestation that lies in `deliveries`, or will."""
    data = DocumentDelivered(
        member_number=number,
        document_id=document_id,
        kind="attestation",
        title="Attestation de droits",
        bucket="deliveries",
        object=name,
        sha256=sha256(content),
    )
    return Event.of(data, time=clock.now() + timedelta(minutes=minutes))


def put(world: World, name: str, content: bytes) -> None:
    world.casework.put_object("deliveries", name, io.BytesIO(content), len(content))


async def test_of_several_decisions_the_newest_stands_in_whatever_order_they_come(world: World, number: str) -> None:
    document_id = await world.sent(number)
    await world.until_status(number, document_id, "submitted")
    newest = processed(number, document_id, "refused", 2, reason="La date est illisible.")
    older = processed(number, document_id, "accepted", 1, claim_id="R-7")
    await world.publish(newest, older, newest, older)
    await world.until_status(number, document_id, "refused")
    last = processed(number, document_id, "accepted", 3, claim_id="R-8")
    await world.publish(last)
    found = await world.until_status(number, document_id, "accepted")
    assert [step["status"] for step in found["history"]] == ["received", "submitted", "accepted", "refused", "accepted"]
    assert (found["claim_id"], found["reason"]) == ("R-8", None)


async def test_a_refusal_tells_its_reason(world: World, number: str) -> None:
    document_id = await world.sent(number)
    await world.until_status(number, document_id, "submitted")
    await world.publish(processed(number, document_id, "refused", reason="La date est illisible."))
    assert (await world.until_status(number, document_id, "refused"))["reason"] == "La date est illisible."


async def test_a_decision_on_an_unknown_document_is_a_dead_letter_and_stops_nothing(world: World, number: str) -> None:
    document_id = await world.sent(number)
    await world.until_status(number, document_id, "submitted")
    passed = Event.of(LetterPosted(member_number=number, letter_id="l-1", posted_on=clock.now().date()))
    await world.publish(processed(number, "d-unknown"), passed, processed(number, document_id))
    await world.until_status(number, document_id, "accepted")
    reasons = [row["reason"] for row in world.db["dead_letters"].find({"topic": "casework.v1"})]
    assert reasons.count("document_unknown") == 1
    assert "type_not_handled" not in reasons


async def test_a_delivery_is_fetched_once_its_object_is_there_and_is_the_one_announced(
    world: World, number: str
) -> None:
    content = large_pdf(300_000)
    await world.publish(delivered(number, f"{number}.pdf", content))
    await asyncio.to_thread(until, "it is waited for", lambda: _waits(world, number))
    put(world, f"{number}.pdf", b"half of it")
    await asyncio.sleep(1.5)
    assert await world.listed(number) == []
    put(world, f"{number}.pdf", content)
    found = await world.until_status(number, "a%2F1", "delivered")
    assert (found["kind"], found["title"], found["media_type"]) == (
        "attestation",
        "Attestation de droits",
        "application/pdf",
    )
    answer = await world.get(number, "/documents/a%2F1/content")
    assert bytes(await answer.bytes()) == content
    assert "Attestation%20de%20droits.pdf" in answer.headers["content-disposition"]
    assert [item["document_id"] for item in await world.listed(number)] == ["a/1"]
    until("the original is deleted", lambda: f"{number}.pdf" not in world.objects("deliveries"))


async def test_a_newer_delivery_replaces_and_an_older_one_does_not(world: World, number: str) -> None:
    old, new = large_pdf(1000), large_pdf(2000)
    put(world, f"{number}-new", new)
    put(world, f"{number}-old", old)
    await world.publish(delivered(number, f"{number}-new", new, "a-1", minutes=5))
    await world.until_status(number, "a-1", "delivered")
    kept = _accepted(world)
    await world.publish(delivered(number, f"{number}-old", old, "a-1", minutes=1))
    until("the older original is deleted", lambda: f"{number}-old" not in world.objects("deliveries"))
    until("nothing waits", lambda: not world.jobs(number))
    assert bytes(await (await world.get(number, "/documents/a-1/content")).bytes()) == new
    assert _accepted(world) == kept


async def test_a_delivery_that_never_comes_is_given_up_and_leaves_nothing(world: World, number: str) -> None:
    before = _accepted(world)
    put(world, f"{number}.pdf", b"something else")
    await world.publish(delivered(number, f"{number}.pdf", PDF))
    await asyncio.to_thread(until, "it is waited for", lambda: _waits(world, number))
    over = {"$set": {"data.until": clock.now() - timedelta(seconds=1)}}  # as if 24 h had passed
    world.db["jobs"].update_one({"member_number": number, "kind": "deliver"}, over)
    await asyncio.to_thread(until, "nothing waits", lambda: not world.jobs(number))
    assert await world.listed(number) == []
    assert _accepted(world) == before


async def test_an_erased_member_leaves_nothing(world: World, number: str) -> None:
    others = _accepted(world)
    await world.enrol(number)
    sent = await world.sent(number)
    await world.until_status(number, sent, "submitted")
    put(world, f"{number}.pdf", PDF)
    await world.publish(delivered(number, f"{number}.pdf", PDF, "a-1"))
    await world.until_status(number, "a-1", "delivered")
    put(world, f"{number}-late.pdf", PDF)
    await world.publish(delivered(number, f"{number}-late.pdf", PDF + b"other", "a-2"))
    await asyncio.to_thread(until, "it is waited for", lambda: _waits(world, number))
    await world.publish_as_auth(Event.of(MemberErased(member_number=number, at=clock.now())))
    await asyncio.to_thread(
        until, "the rows are gone", lambda: not world.db["documents"].find_one({"member_number": number})
    )
    assert world.db["members"].find_one({"_id": number}) is None
    await asyncio.to_thread(until, "our objects are gone", lambda: _accepted(world) == others)
    await asyncio.to_thread(until, "its deliveries are gone", lambda: number not in str(world.objects("deliveries")))
    assert sent not in world.objects("documents-intake")
    # What stays is the job that deletes them once more, for what was under way.
    await asyncio.to_thread(until, "one job is left", lambda: _kinds(world, number) == ["discard"])


async def test_an_open_stream_tells_the_document_that_changed(world: World, number: str) -> None:
    document_id = await world.sent(number)
    await world.until_status(number, document_id, "submitted")
    request = world.client.get(f"{world.url}/stream").bearer_auth(world.token(number)).streamed_read_buffer_limit(0)
    async with request.build_streamed() as response:
        heard = ""
        await world.publish(processed(number, document_id))
        async with asyncio.timeout(20):
            while "event: document" not in heard:
                heard += bytes(await response.body_reader.read_chunk() or b"").decode()
    assert f'"id": "{document_id}"' in heard or f'"id":"{document_id}"' in heard


def _waits(world: World, number: str) -> bool:
    return any(job["kind"] == "deliver" and job["lease"] is None for job in world.jobs(number))


def _kinds(world: World, number: str) -> list[str]:
    return [job["kind"] for job in world.jobs(number)]


def _accepted(world: World) -> set[str]:
    return set(world.objects("documents-accepted"))
