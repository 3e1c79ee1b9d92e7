"""`/api/v1` on the wire: what a service is sent, what a client gets back, and what never passes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from deploy.topology import SERVICES
from services.gateway.routes import ROUTES
from shared.app import API_PREFIX
from shared.tracing import accepted_traceparent
from tests.services.gateway.running import Gateway, Origin, Seen, begin_chunks, chunk, say, says_ok

pytestmark = pytest.mark.servers

BEARER = "Authorization: Bearer some.opaque.token"


@contextlib.asynccontextmanager
async def all_services(gateway: Gateway) -> AsyncIterator[list[Origin]]:
    """Every service of this gateway, each answering 200 to whatever it is asked."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(gateway.origin(name, says_ok)) for name in SERVICES]


async def test_answers_stream_through_piece_by_piece(gateway: Gateway) -> None:
    first_was_read = asyncio.Event()

    async def slowly(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await begin_chunks(writer, "application/pdf")
        await chunk(writer, b"x" * 100_000)
        await asyncio.wait_for(first_was_read.wait(), 10)
        await chunk(writer, b"the end")
        await chunk(writer, b"")

    async with (
        gateway.origin("documents", slowly),
        gateway.open(f"GET /api/v1/documents/d-1/content HTTP/1.1\nHost: portal\n{BEARER}") as reader,
    ):
        await asyncio.wait_for(reader.readuntil(b"x" * 1000), 10)
        first_was_read.set()
        await asyncio.wait_for(reader.readuntil(b"the end"), 10)


async def test_half_an_answer_never_looks_like_a_whole_one(gateway: Gateway) -> None:
    async def breaks_off(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await begin_chunks(writer, "application/pdf")
        await chunk(writer, b"x" * 100_000)

    async with (
        gateway.origin("documents", breaks_off),
        gateway.open(f"GET /api/v1/documents/d-1/content HTTP/1.1\nHost: portal\n{BEARER}") as reader,
    ):
        answer = await asyncio.wait_for(reader.read(), 10)
    assert b"200 OK" in answer
    assert not answer.endswith(b"0\r\n\r\n")  # the end of a chunked body (RFC 9112, 7.1)


async def test_requests_stream_through_and_keep_their_length(gateway: Gateway) -> None:
    async with gateway.origin("documents", says_ok) as documents:
        body = b"%PDF" * 500_000
        head = f"POST /api/v1/documents HTTP/1.1\nHost: portal\n{BEARER}\nContent-Type: application/pdf"
        status, _, _ = await gateway.raw(f"{head}\nContent-Length: {len(body)}", body)
    assert status == 200
    assert documents.seen[0].body == body
    assert documents.seen[0].all("content-length") == [str(len(body))]
    assert documents.seen[0].all("content-type") == ["application/pdf"]


@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_a_body_beyond_its_routes_limit_is_refused(gateway: Gateway, framing: str) -> None:
    async with gateway.origin("auth", says_ok) as auth:
        body = b"x" * 20_000
        if framing == "length":
            head = f"Content-Length: {len(body)}"
        else:
            head, body = "Transfer-Encoding: chunked", b"4e20\r\n" + body + b"\r\n0\r\n\r\n"
        status, _, answer = await gateway.raw(f"POST /api/v1/session HTTP/1.1\nHost: portal\n{head}", body)
    assert (status, json.loads(answer)["code"], json.loads(answer)["limit_bytes"]) == (413, "too_large", 16_384)
    assert not [seen for seen in auth.seen if seen.whole]  # auth never had the whole of it


async def test_who_asks_is_written_by_the_gateway_alone(gateway: Gateway) -> None:
    async with gateway.origin("auth", says_ok) as auth:
        await gateway.raw(
            """POST /api/v1/session HTTP/1.1
            Host: portal.example
            Content-Type: application/json
            Content-Length: 0
            X-Forwarded-For: 203.0.113.7
            X-Forwarded-For: 198.51.100.1, 10.0.0.1
            X-Forwarded-Host: evil.example
            X-Real-IP: 203.0.113.7
            Forwarded: for=203.0.113.7
            Cookie: session=stolen
            TE: trailers
            Keep-Alive: timeout=5
            X-Hop: mine
            X-Custom: stays
            Connection: X-Hop"""
        )
    seen = auth.seen[0]
    assert seen.all("x-forwarded-for") == ["127.0.0.1"]
    assert seen.all("x-custom") == ["stays"]
    assert seen.all("host") == [auth.url.removeprefix("http://")]
    for dropped in ("x-forwarded-host", "x-real-ip", "forwarded", "cookie", "te", "keep-alive", "x-hop"):
        assert seen.all(dropped) == [], dropped


async def test_a_trusted_proxy_names_the_client_and_strangers_behind_it_cannot() -> None:
    forged = "X-Forwarded-For: 203.0.113.7, 198.51.100.9"
    with Gateway(TRUSTED_PROXIES="127.0.0.0/8") as gateway:
        async with gateway.origin("auth", says_ok) as auth:
            await gateway.raw(f"POST /api/v1/session HTTP/1.1\nHost: portal\nContent-Length: 0\n{forged}")
    assert auth.seen[0].all("x-forwarded-for") == ["198.51.100.9"]


async def test_request_id_and_trace_go_along(gateway: Gateway) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with gateway.origin("claims", says_ok) as claims:
        head = f"GET /api/v1/reimbursements HTTP/1.1\nHost: portal\n{BEARER}"
        _, told, _ = await gateway.raw(f"{head}\nX-Request-Id: 0123456789abcdef\ntraceparent: {trace}")
        _, made, _ = await gateway.raw(f"{head}\nX-Request-Id: no <good>\ntraceparent: bad")
    first, second = claims.seen
    assert first.all("x-request-id") == ["0123456789abcdef"] == [v for k, v in told if k == "x-request-id"]
    assert first.all("traceparent") == [trace]
    assert second.all("x-request-id") == [v for k, v in made if k == "x-request-id"] != ["no <good>"]
    assert accepted_traceparent(second.all("traceparent")[0])


async def test_a_services_answer_comes_back_without_what_is_its_own(gateway: Gateway) -> None:
    async def says_much(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        kept = ("Content-Type: application/json", "ETag: e-1", "Location: /api/v1/documents/d-1")
        await say(
            writer, "201 Created", b"{}", *kept, "Set-Cookie: a=b", "Server: secret/1", "X-Hop: h", "Connection: X-Hop"
        )

    async with gateway.origin("documents", says_much):
        head = f"POST /api/v1/documents HTTP/1.1\nHost: portal\n{BEARER}\nContent-Length: 2"
        status, headers, body = await gateway.raw(head, b"{}")
    names = [name for name, _ in headers]
    assert (status, body) == (201, b"{}")
    assert ("etag", "e-1") in headers
    assert ("location", "/api/v1/documents/d-1") in headers
    assert ("x-content-type-options", "nosniff") in headers
    assert ("cache-control", "no-store") in headers
    assert not {"set-cookie", "server", "x-hop"} & set(names)


async def test_a_service_that_is_down_is_said_and_its_return_noticed(gateway: Gateway) -> None:
    head = f"GET /api/v1/reimbursements HTTP/1.1\nHost: portal\n{BEARER}"
    for _ in range(2):
        status, headers, body = await gateway.raw(head)
        assert (status, json.loads(body)["code"]) == (503, "unavailable")
        assert ("content-type", "application/problem+json") in headers
        assert int(dict(headers)["retry-after"]) > 0
        assert (await gateway.raw("GET /readyz HTTP/1.1\nHost: portal"))[0] == 200
        async with gateway.origin("claims", says_ok):
            assert (await gateway.raw(head))[0] == 200


async def test_a_path_that_needs_a_token_is_refused_before_any_service_sees_it(gateway: Gateway) -> None:
    async with all_services(gateway) as services:
        for route in (route for route in ROUTES if route.bearer):
            path = route.path.replace("{", "").replace(":path}", "").replace("}", "")
            status, _, _ = await gateway.raw(f"{route.methods[0]} {path} HTTP/1.1\nHost: portal")
            assert status == 401, route
    assert [service.seen for service in services] == [[], [], [], []]


@pytest.mark.parametrize(
    "target",
    [
        "/metrics",
        "/api/v1/metrics",
        "/api/v1/livez",
        "/api/v1/../metrics",
        "/api/v1/documents/../../../metrics",
        "/api/v1/documents/%2e%2e/%2e%2e/%2e%2e/metrics",
        "/api/v1/documents/..%2f..%2f..%2fmetrics",
        "/api/v1/documents/../content",
        "/api/v1/reimbursements/..",
        "/api/v1/reimbursements/%2e%2e",
        "//metrics",
        "/api/v1/.well-known/jwks.json",
        "http://127.0.0.1/metrics",
    ],
)
async def test_nothing_outside_the_table_reaches_a_service(gateway: Gateway, target: str) -> None:
    async with all_services(gateway) as services:
        status, _, _ = await gateway.raw(f"GET {target} HTTP/1.1\nHost: portal\n{BEARER}")
    assert status == 404
    assert [service.seen for service in services] == [[], [], [], []]


async def test_an_id_is_passed_on_as_one_segment_and_the_query_as_it_is(gateway: Gateway) -> None:
    async with gateway.origin("claims", says_ok) as claims:
        head = f"HTTP/1.1\nHost: portal\n{BEARER}"
        await gateway.raw(f"GET /api/v1/reimbursements/R%2F1%3Fx%23y?q=%C3%A9t%C3%A9&limit=3 {head}")
    assert claims.seen[0].target == f"{API_PREFIX}/reimbursements/R%2F1%3Fx%23y?q=%C3%A9t%C3%A9&limit=3"


async def test_metrics_are_on_a_port_of_their_own(gateway: Gateway) -> None:
    await gateway.raw("GET / HTTP/1.1\nHost: portal")
    status, _, body = await gateway.raw("GET /metrics HTTP/1.1\nHost: portal", port=gateway.metrics_port)
    assert status == 200
    assert b'espace_http_requests_total{method="GET",route="/",status="200"}' in body
