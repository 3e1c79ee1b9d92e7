"""auth.v1: what auth publishes. Every sealed field's audience is `notifications`."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.events.base import Contract, EventData
from shared.events.fields import Id, Instant, Line, Sealed, broken


class AuthEvent(EventData):
    topic: ClassVar[str] = "auth.v1"
    source: ClassVar[str] = "/auth"


class Consents(Contract):
    """What the member's e-mail address may be used for."""

    statements: bool
    management_information: bool


class TemporaryPasswordIssued(AuthEvent):
    """To be printed in a letter; `identifier_kind` says which identifier goes with it."""

    reason: Literal["enrolment", "renewal", "reset"]
    identifier_kind: Literal["nir", "member_number"]
    password: Sealed
    expires_at: Instant


class IdentifierChangeRequested(AuthEvent):
    """`activation_token` is absent when the address already signs another account in."""

    request_id: Id
    kind: Literal["email"]
    email: Sealed
    activation_token: Sealed | None = None
    expires_at: Instant


class IdentifierChanged(AuthEvent):
    """`email` is the contact address after the change, absent = none. `consents` only the first time.

    `previous_email` was the activated address before. With `undo_token` it can be brought back until `undo_expires_at`;
    without, that is what was done: `email` is back in its place.
    """

    kind: Literal["email", "member_number"]
    email: Sealed | None = None
    email_activated: bool
    previous_email: Sealed | None = None
    undo_token: Sealed | None = None
    undo_expires_at: Instant | None = None
    consents: Consents | None = None

    @model_validator(mode="after")
    def _has_the_addresses_it_speaks_of(self) -> Self:
        if self.email is None and (self.kind == "email" or self.email_activated):
            raise broken("required_for_email", "email", "Required when the identifier is an e-mail or it is activated")
        if self.undo_token is not None and self.previous_email is None:
            raise broken("only_with_previous_email", "undo_token", "Only together with previous_email")
        return self


class PasswordResetRequested(AuthEvent):
    reset_token: Sealed
    expires_at: Instant


class PasswordReset(AuthEvent):
    at: Instant


class PasswordChanged(AuthEvent):
    at: Instant
    replaces: Literal["temporary", "own"]


class AccountLocked(AuthEvent):
    """`until`: the end of the block. `expires_at`: of the link, `until` if it is absent."""

    until: Instant
    unlock_token: Sealed
    expires_at: Instant | None = None


class SignedInFromNewDevice(AuthEvent):
    at: Instant
    device: Line
    close_token: Sealed
    expires_at: Instant | None = None
    """When the token's link ends."""


class PasskeyAdded(AuthEvent):
    at: Instant


FactorChange = Literal["added", "removed", "recovery_code_used", "codes_refused"]


class SecondFactorChanged(AuthEvent):
    """What befell the member's second factor. `codes_refused`: wrong codes after the right password, up to a block."""

    at: Instant
    change: FactorChange


class SessionsClosed(AuthEvent):
    """Either the sessions named, or all that began before an instant."""

    session_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=1000)] | None = None
    all_before: Instant | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.session_ids is None) == (self.all_before is None):
            raise broken("one_of_two", "session_ids", "Exactly one of session_ids and all_before")
        return self


class MemberErased(AuthEvent):
    at: Instant
