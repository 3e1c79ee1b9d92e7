"""After the membership nothing can be sent: every route that changes something refuses, or is named here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final
from unittest.mock import Mock

import pytest
from fastapi import FastAPI

from deploy.api_docs.openapi import ROUTERS
from shared import clock
from shared.app import create_app
from shared.tokens import Member
from tests.shared.asgi import Answer, request

SERVICES: Final = ROUTERS.keys() - {"auth"}
"""auth's own routes concern the account, which stays the member's to look after."""
STILL_ALLOWED: Final = {
    ("notifications", "PATCH", "/api/v1/preferences"),
    ("claims", "DELETE", "/api/v1/card/shares/{share_id}"),
    ("claims", "POST", "/api/v1/card/shares/checks"),  # without a token: whoever has a link asks
    ("claims", "POST", "/api/v1/card/shares/openings"),
}
"""What sends the insurer nothing and opens nothing: it concerns the member's own reading alone."""
READING: Final = {"GET", "HEAD", "OPTIONS"}


class Verifier:
    """Whatever the token: a member whose membership is over, or goes on."""

    def __init__(self, *, read_only: bool) -> None:
        now = clock.now()
        self._member = Member("12345678", "s-1", "main", frozenset(), now, now + timedelta(minutes=5), read_only)

    async def verify(self, token: str) -> Member:
        del token
        return self._member


def writing_routes() -> list[tuple[str, str, str]]:
    """(service, method, path) of everything that a member may ask and that is no reading."""
    return sorted(
        (service, method, path)
        for service in SERVICES
        for router in ROUTERS[service]
        for route in router.routes
        for method in (getattr(route, "methods", None) or set()) - READING
        if (path := getattr(route, "path", ""))
    )


async def asked(service: str, method: str, path: str, *, read_only: bool) -> Answer:
    """The service's answer to a request whose body is nothing that it takes; without the service behind its routes."""
    app = _app(service, read_only=read_only)
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    return await request(app, method, re.sub(r"\{[^}]*\}", "x", path), headers=headers, body=(b"[]",))


def test_the_routes_are_found() -> None:
    assert ("documents", "POST", "/api/v1/documents") in writing_routes()
    assert set(writing_routes()) >= STILL_ALLOWED


@pytest.mark.parametrize(("service", "method", "path"), writing_routes())
async def test_a_route_that_is_no_reading_refuses_or_is_named(service: str, method: str, path: str) -> None:
    over = await asked(service, method, path, read_only=True)
    refused = (over.status, over.json.get("code")) == (403, "membership_ended")
    assert refused == ((service, method, path) not in STILL_ALLOWED)
    if refused:
        assert over.headers["content-type"] == "application/problem+json"
        assert "everything can still be read" in over.json["detail"]


@pytest.mark.parametrize(("service", "method", "path"), writing_routes())
async def test_while_the_membership_goes_on_none_refuses(service: str, method: str, path: str) -> None:
    assert (await asked(service, method, path, read_only=False)).status != 403


async def test_a_file_is_refused_before_any_of_it_is_read() -> None:
    headers = {"authorization": "Bearer x", "content-type": "multipart/form-data; boundary=x"}
    documents = _app("documents", read_only=True)
    answer = await request(documents, "POST", "/api/v1/documents", headers=headers, body=())  # there is nothing to read
    assert (answer.status, answer.json["code"]) == (403, "membership_ended")


def _app(service: str, *, read_only: bool) -> FastAPI:
    app = create_app(service, parts=(), routers=ROUTERS[service])
    app.state = Mock(tokens=Verifier(read_only=read_only))  # whatever a route looks for is there
    return app
