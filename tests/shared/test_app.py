"""Every error is problem+json with a stable code and the request id; the body limit holds whatever headers say."""

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from pymongo.errors import DuplicateKeyError, ServerSelectionTimeoutError

from shared.app import create_app
from shared.errors import FieldError, Gone, Invalid, TooManyRequests
from shared.tracing import current_request_id, current_traceparent
from tests.shared.asgi import request

JSON = {"content-type": "application/json"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class LinkExpired(Gone):
    code, title = "link_expired", "The link has expired"


class Parcel(BaseModel):
    weight: int


def application() -> FastAPI:
    router = APIRouter()

    @router.post("/parcels")
    async def post(parcel: Parcel) -> dict[str, object]:
        return {
            "weight": parcel.weight,
            "request_id": current_request_id.get(),
            "traceparent": current_traceparent.get(),
        }

    @router.get("/raise/{what}")
    async def fail(what: str) -> None:
        raise {
            "expired": LinkExpired(),
            "field": Invalid(errors=[FieldError("email", "form", "Not an address")]),
            "often": TooManyRequests(retry_after_s=90),
            "away": ServerSelectionTimeoutError("mongodb://user:hunter2@host"),
            "refused": DuplicateKeyError("hunter2"),
            "bug": RuntimeError("hunter2"),
        }[what]

    return create_app("test", parts=[], routers=[router], max_body_bytes=64)


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("expired", 410, "link_expired"),
        ("field", 422, "validation"),
        ("often", 429, "too_many_requests"),
        ("away", 503, "unavailable"),
        ("refused", 500, "internal"),
        ("bug", 500, "internal"),
    ],
)
async def test_each_error_has_its_status_its_code_and_the_request_id(what: str, status: int, code: str) -> None:
    answer = await request(application(), "GET", f"/raise/{what}", headers={"X-Request-Id": "abcdef0123456789"})
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json["request_id"] == "abcdef0123456789"
    assert {"type", "title", "status", "detail", "code", "request_id"} <= answer.json.keys()
    assert answer.json["code"] == code
    assert b"hunter2" not in answer.body


async def test_retry_after_is_a_header() -> None:
    assert (await request(application(), "GET", "/raise/often")).headers["retry-after"] == "90"
    assert int((await request(application(), "GET", "/raise/away")).headers["retry-after"]) > 0


async def test_a_field_that_is_refused_is_named_and_not_repeated() -> None:
    answer = await request(application(), "POST", "/parcels", headers=JSON, body=(b'{"weight": "hunter2"}',))
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "weight"
    assert b"hunter2" not in answer.body


async def test_unknown_paths_and_methods_are_problems_too() -> None:
    assert (await request(application(), "GET", "/nowhere")).json["code"] == "not_found"
    assert (await request(application(), "DELETE", "/parcels")).json["code"] == "method_not_allowed"


@pytest.mark.parametrize("headers", [{}, {"content-length": "5"}])
async def test_a_body_past_the_limit_is_413(headers: dict[str, str]) -> None:
    answer = await request(application(), "POST", "/parcels", headers=headers, body=(b"x" * 40, b"x" * 40))
    assert (answer.status, answer.json["code"]) == (413, "too_large")


async def test_a_body_at_the_limit_passes() -> None:
    body = b'{"weight": 1}'.ljust(64)
    answer = await request(application(), "POST", "/parcels", headers=JSON, body=(body[:30], body[30:]))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "request_id", "trace_id"),
    [
        ({"traceparent": TRACE}, TRACE[3:35], TRACE[3:35]),
        ({"X-Request-Id": "0123456789abcdef" * 2}, "0123456789abcdef" * 2, "0123456789abcdef" * 2),
        ({"X-Request-Id": "from-the-app-7"}, "from-the-app-7", None),
        ({"X-Request-Id": "from-the-app-7", "traceparent": TRACE}, "from-the-app-7", TRACE[3:35]),
        ({}, None, None),
    ],
)
async def test_the_request_id_names_the_trace_unless_the_client_named_it_otherwise(
    headers: dict[str, str], request_id: str | None, trace_id: str | None
) -> None:
    answer = await request(application(), "POST", "/parcels", headers=JSON | headers, body=(b'{"weight": 1}',))
    assert answer.headers["x-request-id"] == (request_id or answer.json["traceparent"][3:35])
    assert trace_id in {None, answer.json["traceparent"][3:35]}


async def test_a_trace_goes_on_and_a_forged_id_is_replaced() -> None:
    forged = JSON | {"X-Request-Id": 'evil"\n{}', "traceparent": TRACE}
    answer = await request(application(), "POST", "/parcels", headers=forged, body=(b'{"weight": 1}',))
    assert answer.json["traceparent"] == TRACE
    assert answer.headers["x-request-id"] == answer.json["request_id"]
    assert "evil" not in answer.headers["x-request-id"]
