"""Every event there is, by topic and type."""

from collections.abc import Mapping

from shared.events.auth import (
    AccountLocked,
    IdentifierChanged,
    IdentifierChangeRequested,
    MemberErased,
    PasskeyAdded,
    PasswordChanged,
    PasswordReset,
    PasswordResetRequested,
    SecondFactorChanged,
    SessionsClosed,
    SignedInFromNewDevice,
    TemporaryPasswordIssued,
)
from shared.events.base import EventData
from shared.events.casework import DocumentDelivered, DocumentProcessed, LetterPosted, MessageAnswered
from shared.events.claims import CardRenewed, StatementReady
from shared.events.claims_payment import ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed
from shared.events.documents import DocumentRefused, DocumentSubmitted
from shared.events.membership import CoverageChanged, MemberEnrolled, MembershipEnded, MemberUpdated
from shared.events.notifications import LetterReady, MailUndeliverable, MessageSent, PreferencesChanged

_EVENTS: tuple[type[EventData], ...] = (
    MemberEnrolled,
    MemberUpdated,
    CoverageChanged,
    MembershipEnded,
    ClaimReceived,
    ClaimPaid,
    ClaimRefused,
    ClaimReversed,
    DocumentProcessed,
    DocumentDelivered,
    MessageAnswered,
    LetterPosted,
    TemporaryPasswordIssued,
    IdentifierChangeRequested,
    IdentifierChanged,
    PasswordResetRequested,
    PasswordReset,
    PasswordChanged,
    AccountLocked,
    SignedInFromNewDevice,
    PasskeyAdded,
    SecondFactorChanged,
    SessionsClosed,
    MemberErased,
    StatementReady,
    CardRenewed,
    DocumentSubmitted,
    DocumentRefused,
    MessageSent,
    LetterReady,
    PreferencesChanged,
    MailUndeliverable,
)

CATALOGUE: Mapping[str, Mapping[str, type[EventData]]] = {
    topic: {event.__name__: event for event in _EVENTS if event.topic == topic}
    for topic in dict.fromkeys(event.topic for event in _EVENTS)
}
"""Topic → type name → class."""
