"""Forms with files: checked by their beginning, passed on while they come in, bounded."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from services.gateway.routes import FILE_FORM_BYTES
from tests.services.gateway.running import Gateway, Seen, say, says_ok
from tests.services.gateway.test_pages import SIGNED_IN, form, post

pytestmark = pytest.mark.servers

SEND = "/documents/envoyer"
BOUNDARY = "xx"
TAKEN = b'{"kind": "invoice", "document_id": "d-1"}'
LIST = b'{"items": [], "beneficiaries": [{"rank": 1, "first_name": "Laure"}]}'


def body(csrf: str, content: bytes, **fields: str) -> bytes:
    """The form as a browser writes it."""
    typed = {"csrf": csrf, "envoi": "0190b3a2-7c1d-7e7e-8d2f-0123456789ab", "kind": "invoice", **fields}
    lines = [f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in typed.items()]
    head = '--xx\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    return "".join([*lines, head]).encode() + content + b"\r\n--xx--\r\n"


def head(cookie: str, length: int | None, *headers: str) -> str:
    """The head of the request that sends it."""
    lines = [f"POST {SEND} HTTP/1.1", "Host: portal", f"Cookie: {cookie}"]
    lines.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    return "\n".join([*lines, *headers])


async def signed_in(gateway: Gateway) -> tuple[str, str]:
    """(cookies, CSRF token) of a browser whose member is signed in."""

    async def opens(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", SIGNED_IN, "Content-Type: application/json")

    cookie, token = await form(gateway)
    async with gateway.origin("auth", opens):
        fields = {"csrf": token, "identifiant": "12345678", "mot_de_passe": "x"}
        _, cookies, _ = await post(gateway, fields, f"Cookie: {cookie}")
    return "; ".join([cookie, *(f"{name}={morsel.value}" for name, morsel in cookies.items())]), token


async def takes(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """documents: 201 to a form, the list to a GET."""
    status, answer = ("201 Created", TAKEN) if seen.method == "POST" else ("200 OK", LIST)
    await say(writer, status, answer, "Content-Type: application/json")


async def test_the_body_reaches_the_service_untouched_with_the_members_token(gateway: Gateway) -> None:
    cookie, token = await signed_in(gateway)
    sent = body(token, b"%PDF-" + b"\0\r\n" * 500_000)
    async with gateway.origin("documents", takes) as documents:
        status, headers, _ = await gateway.raw(head(cookie, len(sent)), sent)
    assert (status, dict(headers)["location"]) == (303, "/documents?envoye=invoice")
    (seen,) = documents.seen
    assert seen.body == sent
    assert seen.target == "/api/v1/documents"
    assert seen.all("authorization") == ["Bearer a.b.c"]
    assert seen.all("idempotency-key") == ["0190b3a2-7c1d-7e7e-8d2f-0123456789ab"]
    assert seen.all("content-type") == [f"multipart/form-data; boundary={BOUNDARY}"]
    assert seen.all("cookie") == []


@pytest.mark.parametrize("token", ["", "forged", None])
async def test_without_its_token_nothing_is_passed_on(gateway: Gateway, token: str | None) -> None:
    cookie, _ = await signed_in(gateway)
    sent = body(token, b"%PDF-") if token is not None else body("", b"").replace(b'name="csrf"', b'name="other"')
    async with gateway.origin("documents", takes) as documents:
        status, _, page = await gateway.raw(head(cookie, len(sent)), sent)
    assert status == 403
    assert "n’est plus valable" in page.decode()
    assert documents.seen == []


async def test_a_token_behind_the_file_comes_too_late(gateway: Gateway) -> None:
    cookie, token = await signed_in(gateway)
    field = f'--xx\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n'.encode()
    sent = body("", b"%PDF-").replace(b"--xx--\r\n", field + b"--xx--\r\n")
    async with gateway.origin("documents", takes) as documents:
        status, _, _ = await gateway.raw(head(cookie, len(sent)), sent)
    assert (status, documents.seen) == (403, [])


async def test_another_site_is_refused_before_its_file_is_read(gateway: Gateway) -> None:
    cookie, token = await signed_in(gateway)
    sent = body(token, b"%PDF-")
    async with gateway.origin("documents", takes) as documents:
        status, _, _ = await gateway.raw(head(cookie, len(sent), "Sec-Fetch-Site: cross-site"), sent)
    assert (status, documents.seen) == (403, [])


async def test_the_file_streams_through_while_it_is_still_coming_in(gateway: Gateway) -> None:
    cookie, token = await signed_in(gateway)
    sent = body(token, b"%PDF-" + b"\0" * 400_000)
    async with gateway.origin("documents", takes) as documents:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        lines = "\r\n".join([*head(cookie, len(sent)).splitlines(), "", ""])
        writer.write(lines.encode() + sent[:300_000])
        await writer.drain()
        for _ in range(500):
            if documents.seen and len(documents.seen[0].body) > 100_000:
                break
            await asyncio.sleep(0.02)
        assert 100_000 < len(documents.seen[0].body) <= 300_000
        writer.write(sent[300_000:])
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
        writer.close()
    assert b"303" in answer


async def test_a_file_that_is_too_large_is_told_beside_the_field_and_what_was_typed_is_kept(gateway: Gateway) -> None:
    cookie, token = await signed_in(gateway)
    sent = body(token, b"%PDF-", comment="Deux pages")
    async with gateway.origin("documents", takes) as documents:
        for length in (FILE_FORM_BYTES + 1, None):
            if length is None:
                full = sent + b"\0" * FILE_FORM_BYTES
                sent = f"{len(full):x}\r\n".encode() + full + b"\r\n0\r\n\r\n"
            status, _, page = await gateway.raw(head(cookie, length), sent)
            assert status == 422
            assert "Ce fichier est trop lourd" in page.decode()
            assert "Deux pages" in page.decode()
    assert not any(seen.whole for seen in documents.seen if seen.method == "POST")


async def test_the_api_tells_a_file_that_is_too_large_by_its_own_code(gateway: Gateway) -> None:
    async with gateway.origin("documents", says_ok) as documents:
        request = "POST /api/v1/documents HTTP/1.1\nHost: portal\nAuthorization: Bearer a.b.c"
        status, _, answer = await gateway.raw(f"{request}\nContent-Length: {FILE_FORM_BYTES + 1}")
    assert (status, json.loads(answer)["code"], documents.seen) == (413, "file_too_large", [])


@pytest.mark.slow
async def test_a_slow_telephone_has_longer_than_an_answer_may_take() -> None:
    with Gateway(UPSTREAM_READ_SECONDS="16", UPSTREAM_FILE_SECONDS="60") as gateway:
        cookie, token = await signed_in(gateway)
        sent = body(token, b"%PDF-" + b"\0" * 200_000)
        async with gateway.origin("documents", takes):
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            lines = "\r\n".join([*head(cookie, len(sent)).splitlines(), "", ""])
            writer.write(lines.encode() + sent[:1000])
            until = time.monotonic() + 20
            for start in range(1000, len(sent), 20_000):
                writer.write(sent[start : start + 20_000])
                await asyncio.sleep(2)
            assert time.monotonic() > until - 2
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
            writer.close()
    assert b"303" in answer
