"""The demo's way in: read from the letter as the printing house would, never tried, and true after it was used."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import demo
from tests.stack import RealServers, RunningPortal, real_servers

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SIGN_IN = re.compile(r"identifier (\d{5}[0-9AB]{2}\d{6}), temporary password (\S+) \(([^)]+)\)")


@pytest.fixture(scope="module")
def infra() -> Iterator[RealServers]:
    """Where nobody is enrolled and no letter waits: other tests enrol by the thousand, and members of the demo too."""
    with real_servers() as servers:
        yield servers


def _post(portal: RunningPortal, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{portal.gateway_url}/api/v1{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def test_the_printed_line_signs_in_and_names_the_next_member_once_it_was_used(
    portal: RunningPortal, tmp_path: Path
) -> None:
    notes = tmp_path / "demo.json"
    first = demo.sign_in(portal.infra.operators(), notes)
    assert demo.sign_in(portal.infra.operators(), notes) == first, "asking again uses nothing up"
    found = SIGN_IN.search(first.lines)
    assert found, first.lines
    identifier, password, name = found.groups()

    session = _post(portal, "/session", {"identifier": identifier, "password": password})
    assert set(session["required_actions"]) == {"choose_identifier", "choose_password"}
    choice = {
        "kind": "member_number",
        "new_password": "quatre lilas mauves au balcon",
        "consents": {"statements": False, "management_information": False},
    }
    _post(portal, "/account/identifier", choice, session["access_token"])

    second = _after_the_change(portal, notes, first)
    assert f"{name}: the member number {first.member_number}" in second.lines
    following = SIGN_IN.search(second.lines)
    assert following
    assert following[1] != identifier
    assert second.member_number != first.member_number
    again = demo.sign_in(portal.infra.operators(), tmp_path / "afresh.json")
    assert again.lines == second.lines, "without notes the events tell the same"


def _after_the_change(portal: RunningPortal, notes: Path, before: demo.SignIn) -> demo.SignIn:
    for _ in range(20):  # the relay publishes within moments
        now = demo.sign_in(portal.infra.operators(), notes)
        if now != before:
            return now
    pytest.fail("the change of identifier never showed")
