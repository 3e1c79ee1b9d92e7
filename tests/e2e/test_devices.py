"""A member's devices: closing one from another, the mail about a new one, and staying signed in on one's own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from shared.errors import Unauthenticated
from tests.e2e.conftest import expect_ended, screens, sign_in_with_address
from tests.e2e.outside import PASSWORD, WITHIN_S, Newcomer, Outside, eventually
from tests.e2e.pages.devices import CloseDevicePage, DevicesPage
from tests.e2e.pages.first_sign_in import HomePage, OverviewPage
from tests.stack import RunningPortal

pytestmark = [pytest.mark.browser, pytest.mark.servers]

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
OF_EACH_SERVICE = {
    "auth": "/account",
    "claims": "/reimbursements",
    "documents": "/documents",
    "notifications": "/messages",
}


def test_one_device_closes_another_and_the_mail_closes_a_new_one(
    outside: Outside, page: Page, new_page: Callable[..., Page]
) -> None:
    address = sign_in_with_address(outside, page, outside.enrol())
    telephone = new_page(user_agent=IPHONE, java_script_enabled=False)
    HomePage(telephone).open().sign_in(address, PASSWORD)
    expect(telephone.get_by_role("heading", level=1)).to_contain_text("Bonjour")
    path = outside.mail_path(address, "/fermer-session")
    assert "Safari sur iPhone" in _flat(outside.mails(address)[0]["Text"])

    devices = DevicesPage.open(telephone)
    expect(devices.rows).to_have_count(2)
    expect(devices.rows.nth(0)).to_contain_text("Safari sur iPhone Cet appareil")
    expect(devices.rows.nth(1)).to_contain_text("Chrome sur Linux")
    devices.sign_out("Chrome sur Linux")
    expect(devices.rows).to_have_count(1)
    expect_ended(page)

    close = CloseDevicePage(new_page(), path)
    close.press()
    outside.mail_path(address, "/nouveau-mot-de-passe")
    expect_ended(telephone)
    assert [mail["Subject"] for mail in outside.mails(address)].count("Nouvelle connexion à votre Espace Assuré") == 1


def test_on_ones_own_device_the_session_outlives_the_browser(
    member: Newcomer, page: Page, new_page: Callable[..., Page]
) -> None:
    own = new_page()
    HomePage(own).open()
    own.get_by_label("C’est mon appareil personnel").check()
    HomePage(own).sign_in(member.member_number, PASSWORD)
    OverviewPage(own)
    stays = [cookie for cookie in own.context.cookies() if cookie["expires"] > 0]
    assert {cookie["name"] for cookie in stays} == {"session", "device"}
    days = {cookie["name"]: (cookie["expires"] - time.time()) / 86400 for cookie in stays}
    assert 29 < days["session"] <= 30
    assert 394 < days["device"] <= 395
    assert not [cookie for cookie in page.context.cookies() if cookie["expires"] > 0]

    opened_again = new_page(storage_state={"cookies": stays, "origins": []})
    opened_again.goto("/compte/appareils")
    devices = DevicesPage(opened_again)
    expect(devices.rows.nth(0)).to_contain_text("Appareil personnel")
    opened_again.get_by_role("button", name="Déconnecter tous les autres appareils").click()
    expect(opened_again.get_by_text("Vos autres appareils sont déconnectés.")).to_be_visible()
    expect(devices.rows).to_have_count(1)
    screens(opened_again, "appareils-deconnectes")


def test_a_session_closed_from_the_list_is_over_in_every_service_and_so_are_its_streams(
    portal: RunningPortal, member: Newcomer
) -> None:
    here, there = [_sign_in(portal, member) for _ in range(2)]
    listed = _ask(portal, "GET", "/sessions", here)[1]["items"]
    [session_id] = [item["session_id"] for item in listed if item["device_name"] == "Tablette" and not item["current"]]
    with _stream(portal, there) as ends, _stream(portal, here) as goes_on:
        for stream in (ends, goes_on):
            assert stream.readline()
        assert {_ask(portal, "GET", path, there)[0] for path in OF_EACH_SERVICE.values()} == {200}
        assert _ask(portal, "DELETE", f"/sessions/{session_id}", here)[0] == 204
        while ends.readline():
            """Up to its end, or the minute that is promised."""
        assert not goes_on.isclosed()
    for service, path in OF_EACH_SERVICE.items():
        eventually(partial(_is_refused, portal, path, there), f"{service} still takes the token")
        assert _ask(portal, "GET", path, here)[0] == 200


def _sign_in(portal: RunningPortal, member: Newcomer) -> str:
    body = {"identifier": member.member_number, "password": PASSWORD, "device_name": "Tablette"}
    status, answer = _ask(portal, "POST", "/session", None, body)
    assert status == 200
    return str(answer["access_token"])


def _request(portal: RunningPortal, path: str, token: str | None, **more: Any) -> Request:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    return Request(f"{portal.gateway_url}/api/v1{path}", headers=headers, **more)


def _ask(portal: RunningPortal, method: str, path: str, token: str | None, body: object = None) -> tuple[int, Any]:
    data = json.dumps(body).encode() if body else None
    try:
        with urlopen(_request(portal, path, token, data=data, method=method), timeout=WITHIN_S) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except HTTPError as error:
        with error:
            return error.code, None


def _is_refused(portal: RunningPortal, path: str, token: str) -> bool:
    return _ask(portal, "GET", path, token)[0] == Unauthenticated.status


def _stream(portal: RunningPortal, token: str) -> HTTPResponse:
    answer: HTTPResponse = urlopen(_request(portal, "/stream", token), timeout=WITHIN_S)
    return answer


def _flat(text: str) -> str:
    return " ".join(text.split())
