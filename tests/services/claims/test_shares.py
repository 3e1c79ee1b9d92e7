"""A shared card over HTTP: the member's links, and the card that whoever has one sees."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pymongo
import pytest
from pyreqwest.response import Response

from services.claims import card
from shared import nir
from shared.app import API_PREFIX
from shared.clock import now
from shared.events.auth import MemberErased, SessionsClosed
from shared.events.base import Event
from tests.services.claims.conftest import WITHIN_S, ClaimsService
from tests.services.claims.examples import CHILDS_NIR, NIR, coverage, ended, enrolled, event, grid

pytestmark = pytest.mark.servers

THIS_YEAR = card.today().year
SHARES = "/card/shares"


async def ask(
    service: ClaimsService,
    method: str,
    path: str,
    member: str = "",
    *,
    body: dict[str, str] | None = None,
    once: str = "",
) -> Response:
    """As this member, or as a stranger."""
    request = service.client.request(method, service.portal.url("claims") + API_PREFIX + path)
    if once:
        request = request.header("idempotency-key", once)
    if member:
        request = request.bearer_auth(service.token(member))
    if body is not None:
        request = request.body_json(body)
    return await request.build().send()


async def shared(service: ClaimsService, member: str, *, once: str = "") -> dict[str, Any]:
    """A new link."""
    answer = await ask(service, "POST", SHARES, member, once=once)
    assert answer.status == 201, await answer.text()
    made: dict[str, Any] = await answer.json()
    return made


def secret(share: dict[str, Any]) -> dict[str, str]:
    """What whoever has the link sends."""
    return {"token": str(share["url"]).rpartition("/")[2]}


async def listed(service: ClaimsService, member: str) -> list[dict[str, Any]]:
    answer = await ask(service, "GET", SHARES, member)
    assert answer.status == 200
    items: list[dict[str, Any]] = (await answer.json())["items"]
    return items


async def insured(service: ClaimsService, member: str, **changes: Any) -> None:
    this_year = {"coverage": grid(THIS_YEAR)}
    await service.publish(event(enrolled(member, **this_year | changes)))
    await service.until_known(member)


async def over(service: ClaimsService, token: dict[str, str]) -> dict[str, Any]:
    """The one answer to whoever has a link that is no good, whatever they ask."""
    bodies = []
    for path in ("checks", "openings"):
        answer = await ask(service, "POST", f"{SHARES}/{path}", body=token)
        assert (answer.status, answer.get_header("cache-control")) == (410, "no-store")
        body: dict[str, Any] = await answer.json()
        bodies.append({name: value for name, value in body.items() if name != "request_id"})
    assert bodies[0] == bodies[1]
    return bodies[0]


async def until(there: Callable[[], Awaitable[bool]]) -> None:
    known = False
    async with asyncio.timeout(WITHIN_S):
        while not known:
            await asyncio.sleep(0.05)
            known = await there()


async def test_a_link_shows_the_card_of_the_day_masked_and_counts_who_looks(
    service: ClaimsService, member: str
) -> None:
    await insured(service, member)
    before = now()
    share = await shared(service, member)
    assert share["url"].startswith(service.portal.gateway_url + "/carte-partagee/")
    assert member not in share["url"]
    assert before < _instant(share["expires_at"]) <= now() + timedelta(hours=24)
    assert (share["opened"], share["last_opened_at"]) == (0, None)

    looked = await ask(service, "POST", f"{SHARES}/checks", body=secret(share))
    assert (looked.status, await looked.json()) == (200, {"expires_at": share["expires_at"]})
    assert (await listed(service, member)) == [share]  # a look at the link is no look at the card

    own = await (await service.get("/card", member)).json()
    answer = await ask(service, "POST", f"{SHARES}/openings", body=secret(share))
    assert (answer.status, answer.get_header("cache-control")) == (200, "no-store")
    shown = await answer.json()
    text = await answer.text()
    assert not any(number in text for number in (NIR, CHILDS_NIR, nir.grouped(NIR), nir.grouped(CHILDS_NIR)))
    assert [person.pop("nir_masked") for person in shown["beneficiaries"]] == [
        "2 84 •• •• ••• ••• ••",
        "1 15 •• •• ••• ••• ••",
    ]
    assert shown.pop("expires_at") == share["expires_at"]
    for person in own["beneficiaries"]:
        person.pop("nir")
    own.pop("next_valid_from")
    assert shown == own

    await ask(service, "POST", f"{SHARES}/openings", body=secret(share))
    [seen] = await listed(service, member)
    assert seen["opened"] == 2
    assert before <= _instant(seen["last_opened_at"]) <= now()


async def test_links_that_were_stopped_or_ended_or_never_were_are_answered_alike(
    service: ClaimsService, member: str
) -> None:
    await insured(service, member)
    stopped, late = await shared(service, member), await shared(service, member)
    assert (await ask(service, "DELETE", f"{SHARES}/{stopped['id']}", member)).status == 204
    assert (await ask(service, "DELETE", f"{SHARES}/{stopped['id']}", member)).status == 404
    past = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    assert service.db["card_shares"].update_one({"share_id": late["id"]}, past).modified_count
    assert (await ask(service, "DELETE", f"{SHARES}/{late['id']}", "00000000")).status == 404
    assert await listed(service, member) == []
    answers = [await over(service, token) for token in (secret(stopped), secret(late), {"token": "x"}, {"token": ""})]
    assert answers == [answers[0]] * 4
    assert (answers[0]["code"], member in str(answers)) == ("share_over", False)


async def test_three_links_are_open_at_most_however_many_are_asked_for_at_once(
    service: ClaimsService, member: str
) -> None:
    await insured(service, member)
    answers = await asyncio.gather(*(ask(service, "POST", SHARES, member) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 3
    problem = await next(answer for answer in answers if answer.status == 409).json()
    assert (problem["code"], problem["max_open"]) == ("too_many_shares", 3)
    first, *_ = await listed(service, member)
    await ask(service, "DELETE", f"{SHARES}/{first['id']}", member)
    again = await asyncio.gather(*(shared(service, member, once="k-1") for _ in range(2)))
    assert again[0] == again[1]
    assert len(await listed(service, member)) == 3


async def test_only_a_signed_in_member_with_a_card_shares_it_and_sees_their_links(
    service: ClaimsService, member: str
) -> None:
    for method, path in (("POST", SHARES), ("GET", SHARES), ("DELETE", f"{SHARES}/{'0' * 32}")):
        assert (await ask(service, method, path)).status == 401, method
    nobodys = await ask(service, "POST", SHARES, member)
    assert (nobodys.status, (await nobodys.json())["code"]) == (404, "no_card")
    await insured(service, member, coverage=coverage(year=THIS_YEAR - 1))
    assert (await ask(service, "POST", SHARES, member)).status == 404
    assert await listed(service, member) == []


async def test_a_link_ends_with_the_membership_and_with_every_session(service: ClaimsService, member: str) -> None:
    await insured(service, member)
    share = await shared(service, member)
    closed = Event.of(SessionsClosed(member_number=member, all_before=now() + timedelta(seconds=1)))
    await service.publish_as_auth(closed)

    async def is_over() -> bool:
        return (await ask(service, "POST", f"{SHARES}/checks", body=secret(share))).status == 410

    await until(is_over)
    assert service.db["card_shares"].count_documents({"member_number": member}) == 0

    other = f"{(int(member) + 1) % 10**8:08d}"  # whose sessions are not closed
    await insured(service, other)
    share = await shared(service, other)
    yesterday = card.today() - timedelta(days=1)
    await service.publish(event(ended(yesterday, other), 1))
    await until(is_over)
    await over(service, secret(share))
    assert await listed(service, other) == []
    refused = await ask(service, "POST", SHARES, other)
    assert (refused.status, (await refused.json())["code"]) == (404, "no_card")


async def test_a_links_secret_is_in_no_clear_and_goes_with_the_member(service: ClaimsService, member: str) -> None:
    await insured(service, member)
    share = await shared(service, member)
    kept = service.db["card_shares"].find_one({"member_number": member})
    assert kept is not None
    assert secret(share)["token"] not in str(kept)
    indexes: pymongo.collection.Collection[Any] = service.db["card_shares"]
    assert indexes.index_information()["over"]["expireAfterSeconds"] == 0  # MongoDB sweeps what is over
    await ask(service, "POST", f"{SHARES}/openings", body=secret(share))
    assert secret(share)["token"] not in service.portal.log("claims")
    await service.publish_as_auth(Event.of(MemberErased(member_number=member, at=now())))

    async def is_gone() -> bool:
        return not service.db["card_shares"].count_documents({"member_number": member})

    await until(is_gone)
    await over(service, secret(share))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
