"""The event entrance: what each topic means to notifications. Translates, decides nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from services.notifications import rules
from services.notifications.models import Address, Consents, Identity
from services.notifications.service.erasure import Erasure
from services.notifications.service.letters import Letters
from services.notifications.service.mails import Mails
from services.notifications.service.members import Change, Members
from services.notifications.service.messages import Messages
from shared.applier import Refused
from shared.closures import Closures
from shared.consumer import Subscription
from shared.events import auth, casework, claims, membership
from shared.events.base import Event, EventData
from shared.handlers import Use, one_by_one, pass_over
from shared.mongo import Transaction
from shared.sealing import Keyring, SealingError

PASSED_OVER: frozenset[type[EventData]] = frozenset(
    {
        membership.CoverageChanged,
        membership.MembershipEnded,
        casework.DocumentProcessed,
        casework.DocumentDelivered,
        claims.CardRenewed,
    }
)
"""What is read and causes nothing here. A type in neither this list nor a handler's is refused, never overlooked."""


class Subscribers:
    """All the subscriptions of notifications in one list."""

    def __init__(
        self,
        *,
        members: Members,
        letters: Letters,
        mails: Mails,
        messages: Messages,
        erasure: Erasure,
        closures: Closures,
        keyring: Keyring,
    ) -> None:
        self._members, self._letters, self._mails, self._keyring = members, letters, mails, keyring
        self._erasure, self._closures = erasure, closures
        self._auth: Mapping[type[EventData], Use] = {
            auth.TemporaryPasswordIssued: self._temporary_password_issued,
            auth.PasswordChanged: self._password_changed,
            auth.PasswordResetRequested: self._password_reset_requested,
            auth.PasswordReset: self._password_reset,
            auth.SignedInFromNewDevice: self._signed_in_from_new_device,
            auth.AccountLocked: self._account_locked,
            auth.PasskeyAdded: self._passkey_added,
            auth.SecondFactorChanged: self._second_factor_changed,
            auth.IdentifierChangeRequested: self._identifier_change_requested,
            auth.IdentifierChanged: self._identifier_changed,
            auth.SessionsClosed: self._sessions_closed,
            auth.MemberErased: self._member_erased,
        }
        self._casework: Mapping[type[EventData], Use] = {
            casework.LetterPosted: self._letter_posted,
            casework.MessageAnswered: messages.take_answer,
        }
        self._reimbursements: Mapping[type[EventData], Use] = {claims.StatementReady: self._statement_ready}

    def subscriptions(self) -> list[Subscription]:
        """Topic by topic; batches are small where each event costs several statements."""
        return [
            Subscription("membership.v1", self._membership),
            Subscription("auth.v1", one_by_one(self._auth, PASSED_OVER), max_records=100),
            Subscription("casework.v1", one_by_one(self._casework, PASSED_OVER), max_records=100),
            Subscription("reimbursements.v1", one_by_one(self._reimbursements, PASSED_OVER), max_records=100),
        ]

    async def _membership(self, events: Sequence[Event[EventData]], tx: Transaction) -> None:
        changes = []
        for event in events:
            if isinstance(event.data, membership.MemberEnrolled):
                changes.append(Change(event.data.member_number, event.order, _enrolled(event.data)))
            elif isinstance(event.data, membership.MemberUpdated):
                changes.append(Change(event.data.member_number, event.order, _stored(event.data.changes)))
            else:
                pass_over(event, PASSED_OVER)
        await self._members.learn(changes, tx)

    async def _temporary_password_issued(self, event: Event[auth.TemporaryPasswordIssued], tx: Transaction) -> None:
        self._opened(event, "password")
        await self._letters.order(event, tx)

    async def _password_changed(self, event: Event[auth.PasswordChanged], tx: Transaction) -> None:
        if event.data.replaces == "temporary":
            await self._letters.withdraw(event.data.member_number, event.time, tx)
        else:
            await self._mails.order("password_changed", event, tx)

    async def _password_reset_requested(self, event: Event[auth.PasswordResetRequested], tx: Transaction) -> None:
        self._opened(event, "reset_token")
        await self._mails.order("password_reset", event, tx)

    async def _password_reset(self, event: Event[auth.PasswordReset], tx: Transaction) -> None:
        await self._letters.withdraw(event.data.member_number, event.time, tx)
        await self._mails.order("password_reset_done", event, tx)

    async def _signed_in_from_new_device(self, event: Event[auth.SignedInFromNewDevice], tx: Transaction) -> None:
        self._opened(event, "close_token")
        await self._mails.order("new_device", event, tx)

    async def _account_locked(self, event: Event[auth.AccountLocked], tx: Transaction) -> None:
        self._opened(event, "unlock_token")
        await self._mails.order("account_locked", event, tx)

    async def _passkey_added(self, event: Event[auth.PasskeyAdded], tx: Transaction) -> None:
        await self._mails.order("passkey_added", event, tx)

    async def _second_factor_changed(self, event: Event[auth.SecondFactorChanged], tx: Transaction) -> None:
        await self._mails.order("second_factor", event, tx)

    async def _identifier_change_requested(self, event: Event[auth.IdentifierChangeRequested], tx: Transaction) -> None:
        self._opened(event, "email")
        self._opened(event, "activation_token")
        await self._mails.order("activation" if event.data.activation_token else "address_in_use", event, tx)

    async def _identifier_changed(self, event: Event[auth.IdentifierChanged], tx: Transaction) -> None:
        data = event.data
        self._opened(event, "undo_token")
        if self._opened(event, "previous_email"):
            # Before anything is learnt: whose name may stand in it is as it was until now.
            await self._mails.order("address_changed" if data.undo_token else "address_change_undone", event, tx)
        identity = Identity(email=self._opened(event, "email"), activated=data.email_activated)
        consents = Consents(**data.consents.model_dump()) if data.consents else None
        await self._members.identify(data.member_number, identity, consents, event.order, tx)
        is_undone = data.previous_email and not data.undo_token
        if data.email_activated and not is_undone:
            await self._mails.order("identifier_confirmed", event, tx)

    async def _sessions_closed(self, event: Event[auth.SessionsClosed], tx: Transaction) -> None:
        await self._closures.record(tx, event)

    async def _member_erased(self, event: Event[auth.MemberErased], tx: Transaction) -> None:
        await self._erasure.erase(event.data.member_number, event.time, tx)

    async def _letter_posted(self, event: Event[casework.LetterPosted], tx: Transaction) -> None:
        posted_at = datetime.combine(event.data.posted_on, time(), UTC)
        await self._letters.posted(event.data.member_number, event.data.letter_id, posted_at, tx)

    async def _statement_ready(self, event: Event[claims.StatementReady], tx: Transaction) -> None:
        if rules.is_news(event.data.paid_on, event.time):
            await self._mails.order("statement", event, tx)

    def _opened(self, event: Event[EventData], field: str) -> str | None:
        """A sealed field in clear. One that cannot be opened makes a dead letter, to be replayed with the right key."""
        token: str | None = getattr(event.data, field)
        if token is None:
            return None
        try:
            return self._keyring.open(token, event_id=event.id, field=field)
        except SealingError as error:
            raise Refused(f"sealed_field_unreadable:{field}") from error


def _enrolled(data: membership.MemberEnrolled) -> dict[str, Any]:
    """The facts of an enrolment. What is optional and absent says nothing."""
    facts = {
        "title": data.title,
        "first_name": data.first_name,
        "last_name": data.last_name,
        "postal_address": data.postal_address,
    }
    optional = {"email": data.email, "language": data.language}
    return _stored({**facts, **{name: value for name, value in optional.items() if value is not None}})


def _stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` with the contract's address as ours. Fields that notifications has no use for (the NIR!) end here."""
    facts = {name: changes[name] for name in FIELDS if name in changes}
    if isinstance(facts.get("postal_address"), membership.PostalAddress):
        facts["postal_address"] = Address(**facts["postal_address"].model_dump())
    return facts


FIELDS = ("title", "first_name", "last_name", "postal_address", "email", "language")
