"""The event entrance of documents: every topic it follows, and what is done with each event."""

from collections.abc import Mapping, Sequence
from typing import cast

from services.documents.service.deliveries import Deliveries
from services.documents.service.erasure import Erasure
from services.documents.service.shelf import Shelf
from shared.closures import Closures
from shared.consumer import Subscription
from shared.events import auth, casework, membership
from shared.events.base import Event, EventData
from shared.handlers import Use, one_by_one, pass_over
from shared.mongo import Transaction

PASSED_OVER: frozenset[type[EventData]] = frozenset(
    {
        membership.CoverageChanged,
        membership.MembershipEnded,
        casework.MessageAnswered,
        casework.LetterPosted,
        auth.TemporaryPasswordIssued,
        auth.IdentifierChangeRequested,
        auth.IdentifierChanged,
        auth.PasswordResetRequested,
        auth.PasswordReset,
        auth.PasswordChanged,
        auth.AccountLocked,
        auth.SignedInFromNewDevice,
        auth.PasskeyAdded,
        auth.SecondFactorChanged,
    }
)
"""What is read and causes nothing here. A type in neither this list nor a handler's is refused, never overlooked."""


def subscriptions(
    shelf: Shelf, deliveries: Deliveries, erasure: Erasure, closures: Closures, max_records: int
) -> Sequence[Subscription]:
    """What documents listens to, topic by topic."""

    async def on_membership(events: Sequence[Event[EventData]], tx: Transaction) -> None:
        known = (membership.MemberEnrolled, membership.MemberUpdated)
        for event in events:
            if not isinstance(event.data, known):
                pass_over(event, PASSED_OVER)
        told = [event for event in events if isinstance(event.data, known)]
        await shelf.learn(cast("list[Event[membership.MembershipEvent]]", told), tx)

    of_casework: Mapping[type[EventData], Use] = {
        casework.DocumentProcessed: shelf.decide,
        casework.DocumentDelivered: deliveries.order,
    }

    async def closed(event: Event[auth.SessionsClosed], tx: Transaction) -> None:
        await closures.record(tx, event)

    of_auth: Mapping[type[EventData], Use] = {auth.SessionsClosed: closed, auth.MemberErased: erasure.erase}
    return (
        Subscription("membership.v1", on_membership, max_records),
        Subscription("casework.v1", one_by_one(of_casework, PASSED_OVER), max_records=min(100, max_records)),
        Subscription("auth.v1", one_by_one(of_auth, PASSED_OVER), max_records=min(100, max_records)),
    )
