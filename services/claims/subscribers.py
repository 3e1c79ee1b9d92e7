"""The event entrance of claims: every topic it follows, and what is done with each."""

from collections.abc import Sequence
from typing import TypeGuard

from services.claims.rules import ClaimEvent
from services.claims.service import Claims
from services.claims.shares import Shares
from shared.closures import Closures
from shared.consumer import Subscription
from shared.events.auth import MemberErased, SessionsClosed
from shared.events.base import Event, EventData
from shared.events.claims_payment import ClaimsPaymentEvent
from shared.events.membership import MembershipEvent
from shared.mongo import Transaction


def subscriptions(
    claims: Claims, shares: Shares, closures: Closures, *, max_records: int, lanes: int
) -> Sequence[Subscription]:
    """What claims listens to, topic by topic."""

    async def on_membership(events: Sequence[Event[EventData]], tx: Transaction) -> None:
        await claims.take_memberships([event for event in events if _of_membership(event)], tx)

    async def on_claims(events: Sequence[Event[EventData]], tx: Transaction) -> None:
        await claims.take_claims([event for event in events if _of_claim(event)], tx)

    async def on_auth(events: Sequence[Event[EventData]], tx: Transaction) -> None:
        for event in events:
            if _of_closure(event):
                await closures.record(tx, event)
                if event.data.all_before:
                    await shares.end_before(event.data.member_number, event.data.all_before, tx)
        erased = [event.data.member_number for event in events if isinstance(event.data, MemberErased)]
        if erased:
            await claims.erase(erased, tx)
            await shares.erase(erased, tx)

    return (
        Subscription("membership.v1", on_membership, max_records),
        # A claim holds what it was told, and by that knows an event that comes again.
        Subscription("claims.v1", on_claims, max_records, has_inbox=False, lanes=lanes),
        Subscription("auth.v1", on_auth, max_records),
    )


def _of_membership(event: Event[EventData]) -> TypeGuard[Event[MembershipEvent]]:
    return isinstance(event.data, MembershipEvent)


def _of_claim(event: Event[EventData]) -> TypeGuard[Event[ClaimEvent]]:
    return isinstance(event.data, ClaimsPaymentEvent)


def _of_closure(event: Event[EventData]) -> TypeGuard[Event[SessionsClosed]]:
    return isinstance(event.data, SessionsClosed)
