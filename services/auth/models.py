"""Stored documents. Addresses and NIRs are sealed (AT_REST_KEYS), secrets are hashes, instants are UTC."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

IdentifierKind = Literal["nir", "email", "member_number"]
RequiredActionName = Literal["second_factor", "choose_identifier", "confirm_identifier", "choose_password"]
PasswordKind = Literal["own", "temporary"]


class Stored(BaseModel):
    """A document or a part of one. Frozen: a use case makes the next state and stores it whole."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def to_document(self) -> dict[str, Any]:
        """The BSON document, `_id` included where there is one."""
        return self.model_dump(by_alias=True)


class Fact(Stored):
    """A field told by contract management and the (time, id) of the event that set it, as one sortable text."""

    value: JsonValue
    order: str


class TemporaryPassword(Stored):
    """The password of a letter: argon2id hash of its canonical form.

    `first`: its first character, in clear. It tells which of several a typed one can be, so that one hash decides; 59
    of its 64 bits stay unknown. Those that are good at the same time differ in it.
    """

    first: str
    hash: str
    issued_at: datetime
    expires_at: datetime


class PendingIdentifier(Stored):
    """An e-mail address chosen and not yet confirmed. It reserves nothing."""

    request_id: str
    email: str
    """Sealed at rest."""
    email_key: str
    """Its lookup key as an identifier."""
    consents: dict[str, bool]
    session_id: str | None = None
    """Where it was asked: the one session that outlives the change."""


class Device(Stored):
    """A browser or phone that signed in; `token_hash` is SHA-256 of what it keeps."""

    token_hash: str
    known_since: datetime
    seen_at: datetime
    trusted: bool = False


class SecondFactor(Stored):
    """An authenticator app (RFC 6238), and the codes for the day when it is lost."""

    secret: str
    """Sealed at rest."""
    since: datetime
    device: str | None
    """Where it was added: the device's `token_hash`."""
    last_step: int
    """Of the newest code that served: neither it nor an older one serves again."""
    recovery_codes: list[str]
    """HMACs of those that have not served."""
    codes_made_at: datetime
    asked_at: datetime | None = None
    """When a right password last asked for it."""


class PendingSecondFactor(Stored):
    """A secret that was shown and whose first code is awaited, in that session alone."""

    secret: str
    """Sealed at rest."""
    session_id: str
    expires_at: datetime


ClosureReason = Literal["death", "dispute", "security", "other"]


class SignInClosure(Stored):
    """An operator closed the way in: nothing signs in and no link or letter goes out until it is opened again."""

    reason: ClosureReason
    at: datetime


class Account(Stored):
    """One member's account; `accounts`, one document per member number.

    Facts can arrive before the enrolment does: until then `enrolled` is false and nothing signs in.
    """

    member_number: str = Field(alias="_id")
    revision: int | None = None
    """How often it was stored, by which a change of what was read earlier sees that it is late; none in older rows."""
    insurer: str = "main"
    enrolled: bool = False
    facts: dict[str, Fact] = {}
    identifier_kind: IdentifierKind | None = None
    identifier_key: str | None = None
    identifier_chosen: bool = False
    own_password: str | None = None
    passwords_set: int = 0
    """How many own passwords there have been: a reset link is good while the one it was asked under holds."""
    own_password_short: bool = False
    """It is shorter than what is asked of one that stands alone."""
    second_factor: SecondFactor | None = None
    pending_second_factor: PendingSecondFactor | None = None
    temporary_passwords: list[TemporaryPassword] = []
    """Oldest first: a letter that somebody else asked for must not void the one the member holds."""
    activated_email: str | None = None
    """Sealed at rest; the address signs in."""
    pending: PendingIdentifier | None = None
    completed_request_id: str | None = None
    """The last request whose link was pressed: its links are used, those of any other are void."""
    reset_mailed_at: datetime | None = None
    letter_asked_at: datetime | None = None
    locks_told_at: list[datetime] = []
    """When blocks of the sign-in were told of, in the last 24 hours."""
    sessions_closed_before: datetime | None = None
    """A whole second; tokens signed since carry it or a later one as their time."""
    devices: list[Device] = []
    signed_in_at: datetime | None = None
    closure: SignInClosure | None = None
    passkey_user: str | None = None
    """The account to devices that hold a passkey of it: 32 random bytes in base64url, drawn for the first."""
    passkey_declined: bool = False
    """The member answered « Plus tard » when one was offered."""

    def fact(self, name: str) -> JsonValue:
        """The value of a fact, None where it was never told or was removed."""
        known = self.facts.get(name)
        return known.value if known else None


class ActivationLink(Stored):
    """A link that was mailed; `_id` is SHA-256 of its token. Kept past its end to tell used from expired."""

    token_hash: str = Field(alias="_id")
    request_id: str
    member_number: str
    created_at: datetime
    expires_at: datetime
    delete_at: datetime


SecurityEventKind = Literal[
    "signed_in",
    "sign_in_failed",
    "blocked",
    "unlocked",
    "signed_out",
    "device_closed",
    "other_devices_closed",
    "new_device",
    "confirmation_failed",
    "password_set",
    "password_reset_asked",
    "password_reset_refused",
    "password_reset",
    "address_asked",
    "identifier_changed",
    "identifier_change_undone",
    "passkey_added",
    "passkey_removed",
    "passkey_refused",
    "closed",
    "opened",
    "second_factor_asked",
    "second_factor_failed",
    "second_factor_added",
    "second_factor_removed",
    "recovery_code_used",
    "recovery_codes_made",
]
"""What the record of security events tells apart. The kind says the outcome."""


class SecurityEvent(Stored):
    """One of the record: of an account by its number, or by an identifier's lookup key where nobody was looked up."""

    id: str = Field(alias="_id")
    at: datetime
    kind: SecurityEventKind
    member_number: str | None = None
    identifier_key: str | None = None
    network: str | None = None
    """Where the request came from: /24, IPv6 /64."""
    device: str | None = None
    """In plain words."""
    delete_at: datetime


class OnceLink(Stored):
    """A mailed link that serves once; `_id` is SHA-256 of its token. Kept past its end to tell used from expired."""

    token_hash: str = Field(alias="_id")
    member_number: str
    expires_at: datetime
    delete_at: datetime
    used_at: datetime | None = None


class ResetLink(OnceLink):
    """A link to set a new password."""

    passwords_set: int
    """Of the account when it was asked for: any password set since voids the link."""


class UnlockLink(OnceLink):
    """A link to unlock the access; it opens nothing by itself, so no later password voids it."""


class CloseLink(OnceLink):
    """A link to close what a new device opened.

    No change of the password voids it: whoever signed in with a stolen one can change it too.
    """

    session_id: str
    device: str
    """The device's `token_hash`."""


class UndoLink(OnceLink):
    """A link mailed to the address that was replaced. What it brings back is here."""

    email: str
    """Sealed at rest."""
    identifier_kind: IdentifierKind
    identifier_key: str
    created_at: datetime


class Session(Stored):
    """A signed-in device. `used`: index of the newest refresh token used, -1 = none yet (see `rules.refresh_step`)."""

    session_id: str = Field(alias="_id")
    member_number: str
    password: PasswordKind
    """Which password opened it; `own` from the moment the member sets one in it, and where a passkey did."""
    passkey: str | None = None
    """The passkey that opened it, two factors by itself; none: a password did."""
    second_factor_due: bool = False
    """The password was right; until a code is too, nothing is open."""
    device_name: str | None
    device: str | None = None
    """The device's `token_hash`; none in a session opened before this was noted."""
    trusted: bool = False
    """The member said at this sign-in that the device is their own: it never ends for want of use."""
    opened_at: datetime
    ends_at: datetime
    """However active it is."""
    expires_at: datetime
    """Moved on by each refresh, up to `ends_at`; `ends_at` itself where the device is trusted."""
    used: int = -1
    used_at: datetime | None = None
    confirmed_until: datetime | None = None
    """Until then its holder has proved to be the member, whichever way (`rules.is_confirmed`)."""


class Passkey(Stored):
    """A public key whose private half is on a device of the member's, or in what keeps their devices alike.

    `credential_id`, `public_key` (COSE): base64url. `backed_up`: its device says that it is kept elsewhere too.
    """

    passkey_id: str = Field(alias="_id")
    member_number: str
    credential_id: str
    public_key: str
    sign_count: int
    """As the device last counted; 0 where it does not."""
    backed_up: bool
    name: str
    added_at: datetime
    used_at: datetime | None = None
    device: str | None = None
    """The device it was added on, by its `token_hash`: what is undone there ends it too."""
