"""`POST /documents` on real servers: what is taken, what is refused, and that nothing stays of what was not taken."""

import asyncio
import io
from contextlib import suppress

import pytest

from shared import clock
from shared.app import API_PREFIX
from tests.processes import until
from tests.services.documents.conftest import BOUNDARY, INVOICE, JPEG, PDF, World, form, large_pdf, sha256

pytestmark = pytest.mark.servers

HEIC = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"\0" * 100


async def test_a_document_is_durable_listed_submitted_and_downloaded_as_it_was_sent(world: World, number: str) -> None:
    await world.enrol(number)
    content = large_pdf(12_000_000)
    fields = {"kind": "quote", "beneficiary_rank": "2", "amount": "1 234,5 €", "care_date": "2026-11-12"}
    document_id = await world.sent(number, content, fields=fields | {"comment": "Deux pages"}, name="Devis été.pdf")
    found = await world.until_status(number, document_id, "submitted")
    assert found["beneficiary"] == {"rank": 2, "first_name": "Hugo"}
    assert (found["kind"], found["amount_cents"], found["care_date"]) == ("quote", 123450, "2026-11-12")
    assert (found["file_name"], found["media_type"], found["size"]) == ("Devis été.pdf", "application/pdf", 12_000_000)
    assert [step["status"] for step in found["history"]] == ["received", "submitted"]
    assert [item["document_id"] for item in await world.listed(number)] == [document_id]

    answer = await world.get(number, f"/documents/{document_id}/content")
    assert bytes(await answer.bytes()) == content
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-length"] == "12000000"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"Devis ete.pdf\"; filename*=UTF-8''Devis%20%C3%A9t%C3%A9.pdf"
    )

    (event,) = await world.published(number)
    told = event.data.model_dump(mode="json", exclude_none=True)
    assert event.type == "DocumentSubmitted"
    assert told == {
        "member_number": number,
        "document_id": document_id,
        "kind": "quote",
        "beneficiary_rank": 2,
        "file_name": "Devis été.pdf",
        "media_type": "application/pdf",
        "size": 12_000_000,
        "sha256": sha256(content),
        "original_sha256": sha256(content),
        "bucket": "documents-accepted",
        "object": document_id,
        "amount_cents": 123450,
        "care_date": "2026-11-12",
        "comment": "Deux pages",
    }
    response = world.casework.get_object("documents-accepted", document_id)
    assert sha256(response.read()) == told["sha256"]
    response.close()
    until("the intake is empty again", lambda: document_id not in world.objects("documents-intake"))


async def test_nothing_personal_is_kept_in_clear(world: World, number: str) -> None:
    await world.enrol(number)
    fields = INVOICE | {"comment": "Opération du genou"}
    document_id = await world.sent(number, fields=fields, name="Genou Laure.pdf")
    await world.until_status(number, document_id, "submitted")
    kept = str(list(world.db["documents"].find({"member_number": number}))) + str(world.jobs(number))
    kept += str(world.db["members"].find_one({"_id": number})) + world.service.log.read_text()
    for word in ("genou", "Genou", "Laure", "Hugo"):
        assert word not in kept


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (JPEG, "photo.pdf", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100 + b"IEND\xaeB`\x82", "x.png", "image/png"),
        (b"RIFF\x80\0\0\0WEBPVP8 " + b"\0" * 100, "x", "image/webp"),
        (HEIC, "IMG_1.HEIC", "image/heic"),
    ],
)
async def test_the_type_is_what_the_content_says(
    world: World, number: str, content: bytes, name: str, media_type: str
) -> None:
    document_id = await world.sent(number, content, name=name)
    found = await world.until_status(number, document_id, "submitted")
    assert found["media_type"] == media_type


@pytest.mark.parametrize(
    "content", [b"MZ\x90\0 a program", b"<html>%PDF-1.7", b"PK\x03\x04 a zip", b"\0\0\0\x18ftypmp42"]
)
async def test_another_type_is_refused_although_it_is_called_pdf(world: World, number: str, content: bytes) -> None:
    before = world.objects("documents-intake")
    answer = await world.send(number, content + b"\0" * 1000)
    assert (answer.status, (await answer.json())["code"]) == (415, "file_type_not_accepted")
    assert await world.listed(number) == []
    assert world.jobs(number) == []
    assert world.objects("documents-intake") == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "novel"}, "kind"),
        ({"beneficiary_rank": "3"}, "beneficiary_rank"),
        ({"beneficiary_rank": ""}, "beneficiary_rank"),
        ({"amount": "beaucoup"}, "amount"),
        ({"amount_cents": "-1"}, "amount_cents"),
        ({"care_date": "hier"}, "care_date"),
        ({"comment": "x" * 2001}, "comment"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_kept(
    world: World, number: str, fields: dict[str, str], field: str
) -> None:
    await world.enrol(number)
    before = world.objects("documents-intake")
    answer = await world.send(number, fields=INVOICE | fields)
    assert answer.status == 422
    assert [error["field"] for error in (await answer.json())["errors"]] == [field]
    assert await world.listed(number) == []
    assert world.objects("documents-intake") == before


async def test_a_form_without_a_file_says_so(world: World, number: str) -> None:
    for content, name in ((None, ""), (b"", "")):
        answer = await world.send(number, content, name=name)
        assert [error["field"] for error in (await answer.json())["errors"]] == ["file"]


async def test_the_limit_holds_while_the_body_streams_in_without_a_length(world: World, number: str) -> None:
    async def endless() -> object:
        yield form(INVOICE, PDF)[: -len(BOUNDARY) - 8]
        for _ in range(40):
            yield b"\0" * 1_000_000

    request = world.client.post(f"{world.url}/documents").bearer_auth(world.token(number))
    request = request.header("content-type", f"multipart/form-data; boundary={BOUNDARY}")
    answer = await request.body_stream(endless()).build().send()  # type: ignore[arg-type]  # an async generator
    problem = await answer.json()
    assert (answer.status, problem["code"], problem["limit_bytes"]) == (413, "file_too_large", 20_000_000)
    assert await world.listed(number) == []
    _only_sweeps_wait(world, number)


async def test_an_upload_broken_off_half_way_leaves_nothing(world: World, number: str) -> None:
    body = form(INVOICE, large_pdf(15_000_000))
    head = (
        f"POST {API_PREFIX}/documents HTTP/1.1\r\nHost: documents\r\nAuthorization: Bearer {world.token(number)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    port = int(world.service.environment["HTTP_PORT"])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body[:9_000_000])
    await writer.drain()
    document_id = until("the upload is under way", lambda: _upload_under_way(world, number))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    await asyncio.to_thread(until, "the parts are dropped", lambda: world.uploads(document_id) == 0)
    assert await world.listed(number) == []
    assert document_id not in world.objects("documents-intake")
    world.root.put_object("documents-intake", document_id, io.BytesIO(PDF), len(PDF))  # as a killed process leaves it
    world.db["jobs"].update_many({"member_number": number}, {"$set": {"due_at": clock.now()}})  # an hour later
    await asyncio.to_thread(until, "the sweep is done", lambda: world.jobs(number) == [])
    assert document_id not in world.objects("documents-intake")


async def test_the_same_key_sends_one_document_even_at_the_same_moment(world: World, number: str) -> None:
    answers = await asyncio.gather(*(world.send(number, key="k-1") for _ in range(4)))
    again = await world.send(number, JPEG, key="k-1")
    assert {answer.status for answer in (*answers, again)} == {201}
    assert len({(await answer.json())["document_id"] for answer in (*answers, again)}) == 1
    assert len(await world.listed(number)) == 1
    other = await world.send(number, key="k-2")
    assert (await other.json())["document_id"] != (await again.json())["document_id"]


async def test_someone_elses_document_is_not_there(world: World, number: str) -> None:
    document_id = await world.sent(number)
    for path in ("", "/content", "/preview"):
        answer = await world.get("00000000", f"/documents/{document_id}{path}")
        assert (answer.status, (await answer.json())["code"]) == (404, "not_found")
    assert await world.listed("00000000") == []
    assert (await world.client.get(f"{world.url}/documents").build().send()).status == 401


async def test_after_the_membership_nothing_is_taken_and_all_of_it_can_be_read(world: World, number: str) -> None:
    document_id = await world.sent(number)
    token = world.token(number, read_only=True)
    request = world.client.post(f"{world.url}/documents").bearer_auth(token)
    request = request.header("content-type", f"multipart/form-data; boundary={BOUNDARY}")
    refused = await request.body_bytes(form(INVOICE, large_pdf(15_000_000))).build().send()
    assert refused.status == 403
    assert refused.get_header("content-type") == "application/problem+json"
    assert (await refused.json())["code"] == "membership_ended"
    assert [item["document_id"] for item in await world.listed(number)] == [document_id]
    for path in ("/documents", f"/documents/{document_id}", f"/documents/{document_id}/content"):
        assert (await world.client.get(world.url + path).bearer_auth(token).build().send()).status == 200


async def test_the_list_is_paged_newest_first(world: World, number: str) -> None:
    ids = [await world.sent(number, fields=INVOICE) for _ in range(5)]
    seen: list[str] = []
    path = "/documents?limit=2"
    for _ in range(3):
        page = await (await world.get(number, path)).json()
        seen += [item["document_id"] for item in page["items"]]
        path = f"/documents?limit=2&cursor={page['next_cursor']}"
    assert seen == ids[::-1]
    assert page["next_cursor"] is None
    assert (await world.get(number, "/documents?cursor=nonsense")).status == 422


async def test_a_pdf_without_an_end_is_refused_with_a_reason(world: World, number: str) -> None:
    document_id = await world.sent(number, large_pdf(200_000)[:150_000])
    found = await world.until_status(number, document_id, "refused")
    assert (found["reason_code"], found["has_content"]) == ("file_unreadable", False)
    (event,) = await world.published(number)
    assert event.type == "DocumentRefused"
    assert event.data.model_dump(exclude_none=True) == {
        "member_number": number,
        "document_id": document_id,
        "reason_code": "file_unreadable",
    }
    assert (await world.get(number, f"/documents/{document_id}/content")).status == 404
    until("nothing of it is kept", lambda: document_id not in world.objects("documents-intake"))
    assert document_id not in world.objects("documents-accepted")


def _upload_under_way(world: World, number: str) -> str | None:
    jobs = [job for job in world.jobs(number) if job["kind"] == "sweep"]
    document_id = str(jobs[0]["data"]["document_id"]) if jobs else None
    return document_id if document_id and world.uploads(document_id) else None


def _only_sweeps_wait(world: World, number: str) -> None:
    for job in world.jobs(number):
        assert job["kind"] == "sweep"
        assert world.uploads(job["data"]["document_id"]) == 0
        assert job["data"]["document_id"] not in world.objects("documents-intake")
