"""auth's answers: sessions and the account."""

from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime

from services.gateway.schemas.wire import Wire


class EndedMembership(Wire):
    """The membership is over: its last day, and the last day on which everything can be read."""

    ended_on: date
    readable_until: date


class TokenPair(Wire):
    """`expires_in`: seconds. `required_actions`: what the member must do before anything else.

    `session_ends_at`: when the session ends, however active it is; an auth of the release before does not say.
    `ended_membership`: nothing can be sent with these tokens.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    required_actions: tuple[str, ...] = ()
    session_ends_at: datetime | None = None
    ended_membership: EndedMembership | None = None


class SignedIn(TokenPair):
    """`device_token`: proves at the next sign-in that this browser is known."""

    device_token: str | None = None


class KnownDevice(Wire):
    """The same after a password was reset or the access unlocked, which opens no session."""

    device_token: str


class OpenSession(Wire):
    """A signed-in device. `current`: the one that asks. `trusted`: the member's own."""

    session_id: str
    device_name: str | None = None
    opened_at: datetime
    last_seen_at: datetime
    current: bool
    trusted: bool


class OpenSessions(Wire):
    """All there are, newest first."""

    items: tuple[OpenSession, ...]


class Passkey(Wire):
    """`used_at`: when it last signed in or confirmed. `backed_up`: its device keeps it elsewhere too."""

    passkey_id: str
    name: str
    added_at: datetime
    used_at: datetime | None = None
    backed_up: bool


class Passkeys(Wire):
    """All there are, oldest first."""

    items: tuple[Passkey, ...]


class ActivityEvent(Wire):
    """What happened, and from where: a network and a device in plain words, where they are known."""

    at: datetime
    kind: str
    network: str | None = None
    device: str | None = None


class ActivityPage(Wire):
    """Newest first. `next_cursor` is absent on the last page."""

    items: tuple[ActivityEvent, ...]
    next_cursor: str | None = None


class Account(Wire):
    """The member's account; the e-mail addresses come masked."""

    member_number: str
    first_name: str
    last_name: str
    birth_date: date | None = None
    email_masked: str | None = None
    pending_email_masked: str | None = None
    identifier_kind: Literal["nir", "email", "member_number"]
    required_actions: tuple[str, ...] = ()
    confirmed_until: AwareDatetime | None = None
    """Until then this session may do what the password is asked again for."""
    passkeys: int = 0
    offer_passkey: bool = False
    """There is none, and the member has not answered « Plus tard »."""


class PasswordLength(Wire):
    """Of the account: characters that its next password takes, fewer with a second factor."""

    password_min_length: int | None = None


class TwoSteps(Wire):
    """Whether a code of an app is asked for after the password; where it is, since when."""

    enabled: bool
    since: AwareDatetime | None = None


class CodesLeft(Wire):
    """Recovery codes that have not served."""

    left: int


class TwoStepsSetup(Wire):
    """A secret for an app: to be typed (base32), and as an address that apps read from a picture."""

    secret: str
    uri: str


class RecoveryCodes(Wire):
    """Shown once."""

    recovery_codes: tuple[str, ...]


class Consents(Wire):
    """What the e-mail address may be used for."""

    statements: bool
    management_information: bool


class Preferences(Wire):
    """The language of mails, and what may be mailed; owned by notifications."""

    language: Literal["fr", "en"]
    consents: Consents
