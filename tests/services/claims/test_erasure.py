"""`MemberErased`: nothing of the member is left, whatever claims held, and of others everything."""

import asyncio
from itertools import count
from typing import Any

import pytest

from services.claims import card
from shared import clock
from shared.events.auth import MemberErased
from shared.events.base import Event
from shared.events.claims import StatementReady
from tests.services.claims.conftest import WITHIN_S, ClaimsService
from tests.services.claims.examples import coverage, enrolled, event, paid, received, reversed_
from tests.services.claims.test_shares import shared

pytestmark = pytest.mark.servers

HELD = ("claims", "members", "statements", "jobs", "superseded", "card_shares")


def rows(service: ClaimsService, member: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that name the member, by collection; the outbox's sequence alone may stay."""
    names = [name for name in service.db.list_collection_names() if name != "member_sequences"]
    found = {name: [row for row in service.db[name].find() if member in str(row)] for name in names}
    return {name: held for name, held in found.items() if held}


async def everything_held(service: ClaimsService, member: str) -> str:
    """Add to what is held of the member a payment whose statement waits; answers that payment.

    On a busy machine one may have come to rest before it is looked at: then another follows.
    """
    async with asyncio.timeout(WITHIN_S):
        for n in count(2):
            await service.publish(event(paid(f"R-{n}", member=member, payment_id=f"P-{n}")))
            await service.until_listed(member, "R-0", "R-1", "V-1", *(f"R-{earlier}" for earlier in range(2, n + 1)))
            if set(rows(service, member)) == set(HELD):
                return f"P-{n}"
    raise AssertionError


async def test_an_erased_member_leaves_nothing(service: ClaimsService, member: str) -> None:
    other = f"{(int(member) + 1) % 10**8:08d}"
    for number in (member, other):
        await service.publish(
            event(enrolled(number, coverage=coverage(year=card.today().year))),
            event(received("R-0", member=number)),
            event(received("R-0", member=number), 1),
            event(paid("R-1", member=number, payment_id="P-1")),
            event(reversed_("V-1", "R-1", member=number), 1),
        )
        await service.until_known(number)
        await service.announced(StatementReady, number, 1)
        await shared(service, number)
    waiting = await everything_held(service, member)

    await service.publish_as_auth(Event.of(MemberErased(member_number=member, at=clock.now())))
    known = 1
    async with asyncio.timeout(WITHIN_S):
        while known:
            await asyncio.sleep(0.01)
            known = service.db["members"].count_documents({"_id": member})
    assert rows(service, member) == {}  # all in one transaction
    assert (await service.get("/card", member)).status == 404
    assert (await service.get("/payments/P-1/statement.pdf", member)).status == 404
    assert set(rows(service, other)) == {"claims", "members", "statements", "superseded", "card_shares"}
    announced = await service.announced(StatementReady, member, 1)
    assert waiting not in {statement.payment_id for statement in announced}
