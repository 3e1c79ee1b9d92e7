"""What goes over the wire, in and out. Every text has a bound; secrets never show in a representation."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from services.auth.membership_rules import Over
from services.auth.models import IdentifierKind, RequiredActionName, SecurityEventKind
from services.auth.password_rules import MAX_LENGTH


def _encodable(secret: SecretStr) -> SecretStr:
    """Unlike a plain text, a secret text is not checked by pydantic for lone surrogates, which no UTF-8 holds."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("should be Unicode text") from None
    return secret


Text100 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(_encodable)]
Chosen = Annotated[SecretStr, Field(min_length=1, max_length=8 * MAX_LENGTH), AfterValidator(_encodable)]
"""A password that is being chosen: the rules say what is wrong with it, too long included; this bounds their work."""
MAX_DEVICE_TOKENS = 5
Token = Annotated[SecretStr, Field(min_length=1, max_length=512), AfterValidator(_encodable)]
Credential = dict[str, JsonValue]
"""A PublicKeyCredential as browsers write it (`toJSON()`): bytes in base64url without padding."""
Options = dict[str, JsonValue]
"""What browsers read by `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`."""


class Wire(BaseModel):
    """Unknown fields are ignored: a newer client may send more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class OnDeviceRequest(Wire):
    """What a sign-in says of its device, however one signs in.

    `device_tokens`: for a device that several members use and that cannot tell whose token is whose, newest first.
    The one that the member's account knows counts; the others count for nothing.
    """

    device_name: Text100 | None = None
    device_token: Token | None = None
    device_tokens: Annotated[list[Token], Field(max_length=MAX_DEVICE_TOKENS)] = []
    trust_device: bool = False

    @property
    def shown_devices(self) -> list[str]:
        """The device tokens, whichever way they came."""
        shown = [*([self.device_token] if self.device_token else []), *self.device_tokens]
        return [token.get_secret_value() for token in shown]


class SignInRequest(OnDeviceRequest):
    """`identifier`: an e-mail address, the 8 digits of the member number, or the NIR with or without its key."""

    identifier: str = Field(min_length=1, max_length=254)
    password: Secret


class RefreshRequest(Wire):
    refresh_token: Token


class Consents(Wire):
    """Seed: « L'adresse email pourra être utilisée pour »; both unticked at first."""

    statements: bool = False
    management_information: bool = False


class IdentifierRequest(Wire):
    """`email` absent or blank: the contact address that is known; ignored with `member_number`.

    `new_password` is required exactly when `choose_password` is among the required actions. `consents` count at the
    first choice only.
    """

    kind: Literal["email", "member_number"]
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] | None = None
    new_password: Chosen | None = None
    consents: Consents = Consents()


class ActivationRequest(Wire):
    token: Token


class UndoRequest(Wire):
    token: Token


class StepUpRequest(Wire):
    """One of them. `password`: the one in force; `passkey`: what the browser answered to the options."""

    password: Secret | None = None
    passkey: Credential | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.password is None) == (self.passkey is None):
            raise PydanticCustomError("one_of_two", "Exactly one of password and passkey")
        return self


class PasswordRequest(Wire):
    current_password: Secret
    new_password: Chosen


class ChallengeParameters(Wire):
    """ALTCHA's own names. To be found: the `counter` from 0 on with which the derived key begins with `keyPrefix`.

    The key is derived by `algorithm` in `cost` iterations from `nonce` followed by the counter (32 bits, big-endian),
    salted with `salt`; `keyLength` in bytes, `expiresAt` in Unix seconds, the rest in hexadecimal.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    algorithm: str
    cost: int
    expires_at: int
    key_length: int
    key_prefix: str
    key_signature: str
    nonce: str
    salt: str


class ChallengeView(Wire):
    """A challenge as ALTCHA's libraries and widgets take it, version 2."""

    parameters: ChallengeParameters
    signature: str


class PasswordResetRequest(Wire):
    """`nir`: 15 characters, with its key; spaces are allowed.

    `altcha`: base64 of `{"challenge": …, "solution": {"counter", "derivedKey"}}` in JSON, `challenge` as it came from
    `GET /challenges`; good once. Without it a network has one request an hour.
    """

    identifier: str = Field(min_length=1, max_length=254)
    nir: Annotated[SecretStr, Field(min_length=1, max_length=40), AfterValidator(_encodable)]
    altcha: Annotated[str, StringConstraints(max_length=4096)] | None = None


class PasswordResetAnswer(Wire):
    """The same for everybody: whether a mail or a letter goes out is not told."""

    status: Literal["received"] = "received"


class PasswordResetConfirmation(Wire):
    token: Token
    new_password: Chosen


class UnlockRequest(Wire):
    token: Token


class KnownDevice(Wire):
    """`device_token`: kept by the client and sent at the next sign-in on the same device."""

    device_token: str


class EndedMembership(Wire):
    """Its last day, and the last on which all can be read; nothing can be sent any more (403 `membership_ended`)."""

    ended_on: date
    readable_until: date

    @classmethod
    def of(cls, over: Over | None) -> Self | None:
        return cls(ended_on=over.ended_on, readable_until=over.readable_until) if over else None


class TokenPair(Wire):
    """`expires_in`: seconds the access token lives, fewer where the session ends before.

    `required_actions`: in the order to show them, empty = come in.
    `session_ends_at`: when the session ends, however active it is. `ended_membership`: null while it goes on.
    """

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name (RFC 6750)
    expires_in: int
    refresh_token: str
    required_actions: list[RequiredActionName]
    session_ends_at: datetime
    ended_membership: EndedMembership | None = None


class SignedIn(TokenPair, KnownDevice):
    """A session, on a device that is known from now on."""


class SessionView(Wire):
    """A signed-in device. `last_seen_at`: its last refresh. `current`: the one that asks.

    `trusted`: the member's own, as they said when they signed in.
    """

    session_id: str
    device_name: str | None
    opened_at: datetime
    last_seen_at: datetime
    current: bool
    trusted: bool


class SessionList(Wire):
    """All there are, newest first: a member has few."""

    items: list[SessionView]
    next_cursor: str | None = None


class ActivityEvent(Wire):
    """`kind` says what happened and how it ended. `network`: from where, /24 or /64. `device`: in plain words."""

    event_id: str
    at: datetime
    kind: SecurityEventKind
    network: str | None
    device: str | None


class ActivityList(Wire):
    """Newest first. `next_cursor` is null on the last page."""

    items: list[ActivityEvent]
    next_cursor: str | None


class ClosureRequest(Wire):
    token: Token


class IdentifierAnswer(Wire):
    """`activation_sent`: a mail is on its way (202). `active`: signs in from now on (200)."""

    status: Literal["activation_sent", "active"]


class BeneficiaryView(Wire):
    rank: int
    first_name: str
    last_name: str
    birth_date: date
    relation: str


class AccountView(Wire):
    """The member's own account; e-mail addresses and the NIR are masked.

    `email_masked`: the contact address (activated, else from enrolment). `pending_email_masked`: awaits its activation.
    `password_min_length`: of the next own password; fewer with a second factor.
    `confirmed_until`: until then this session needs no step-up, null: it was never confirmed.
    `passkeys`: how many there are. `offer_passkey`: there are none, and the member has not put it off.
    """

    member_number: str
    insurer: str
    title: str | None
    first_name: str
    last_name: str
    birth_date: date | None
    email_masked: str | None
    pending_email_masked: str | None
    nir_masked: str | None
    identifier_kind: IdentifierKind
    required_actions: list[RequiredActionName]
    password_min_length: int
    confirmed_until: AwareDatetime | None
    passkeys: int
    offer_passkey: bool
    ended_membership: EndedMembership | None = None
    beneficiaries: list[BeneficiaryView]
