"""Settings of auth. Every bound has its unit in its name; a missing or bad secret stops the start."""

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from shared.sealing import Keyring
from shared.settings import BrandSettings, PasswordSettings, StatefulSettings

KEY_BYTES = 32


def decoded_key(text: str) -> bytes:
    """The 32 bytes of a key written in base64url, with or without padding. Raises ValueError, never showing it."""
    try:
        key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise ValueError("should be base64url") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"should be {KEY_BYTES} bytes")
    return key


def signing_seeds(text: str) -> dict[str, bytes]:
    """`<kid>:<base64url of a 32-byte Ed25519 seed>[,older…]` by kid, the signing one first. Raises ValueError."""
    pairs = [part.strip().rpartition(":") for part in text.split(",")]
    seeds = {kid: decoded_key(seed) for kid, _, seed in pairs}
    if "" in seeds or len(seeds) < len(pairs):
        raise ValueError("each key needs a name of its own")
    return seeds


def _is_key(secret: SecretStr) -> SecretStr:
    decoded_key(secret.get_secret_value())
    return secret


def _are_seeds(secret: SecretStr) -> SecretStr:
    signing_seeds(secret.get_secret_value())
    return secret


def _is_for_notifications(secret: SecretStr) -> SecretStr:
    if Keyring.from_setting(secret.get_secret_value()).audience != "notifications":
        raise ValueError("should be keys of the audience notifications")
    return secret


Key = Annotated[SecretStr, AfterValidator(_is_key)]


class AuthSettings(StatefulSettings, BrandSettings, PasswordSettings):
    """What auth has besides what every stateful service has.

    Passkeys are made for the host of `portal_url` under the brand's name, and taken from that origin alone.
    """

    insurer: str = "main"
    """Whose members sign in here: identifiers are unique per insurer."""

    consumer_max_records: int = Field(default=200, ge=1, le=5000)
    """Smaller than elsewhere: an enrolment costs three sealed values and a job."""

    sealing_keys: Annotated[SecretStr, AfterValidator(_is_for_notifications)]
    signing_keys: Annotated[SecretStr, AfterValidator(_are_seeds)]
    lookup_key: Key
    refresh_key: Key
    altcha_key: Key

    access_token_seconds: int = Field(default=300, ge=30, le=600)
    session_idle_minutes: int = Field(default=30, ge=1)
    session_max_hours: int = Field(default=12, ge=1)
    trusted_session_max_days: int = Field(default=30, ge=1, le=400)
    """On a device that the member called their own at sign-in; such a session does not end for want of use."""
    sessions_per_member: int = Field(default=20, ge=1, le=1000)

    sign_in_max_failures: int = Field(default=2, ge=1, le=100)
    sign_in_block_minutes: float = Field(default=15, gt=0, le=24 * 60)
    """So many failures within that time, at one place, block there for as long."""
    sign_in_max_failures_per_day: int = Field(default=25, ge=1, le=1000)
    """Of all unknown devices together, and of each known one."""
    unlock_link_hours: int = Field(default=24, ge=1)

    temporary_password_days: int = Field(default=30, ge=1)
    letter_pause_days: int = Field(default=7, ge=1)
    """Between two letters that somebody asked for. Strangers can ask too."""
    reset_link_minutes: int = Field(default=60, ge=1)
    reset_mail_pause_minutes: int = Field(default=5, ge=1)
    """Between two mails with a reset link to one member."""
    altcha_max_number: int = Field(default=500, ge=1, le=100_000)
    """Derivations that a challenge costs at most, half of them on average; 500 take an old phone 2 s at worst."""
    resets_without_challenge_per_hour: int = Field(default=1, ge=0)
    """From one network (/24, IPv6 /64), for browsers without JavaScript."""
    close_link_days: int = Field(default=7, ge=1)
    """How long the mail about a new device can close what that device opened."""
    activation_link_hours: int = Field(default=24, ge=1)
    activation_mails_per_hour: int = Field(default=3, ge=1)
    activation_mails_per_day: int = Field(default=10, ge=1)
    step_up_minutes: int = Field(default=10, ge=1)
    """How long a session is confirmed after the password was asked again."""
    undo_link_days: int = Field(default=7, ge=1)
    """How long the address that was replaced can be brought back by the mail it got."""

    security_events_days: int = Field(default=365, ge=1, le=3650)
    """How long the record of security events keeps one (CNIL, délibération 2021-122: six months to a year)."""
    security_events_failures_days: int = Field(default=90, ge=1, le=3650)
    """The same for what was refused with an identifier, whether anybody has it or not: strangers write these rows."""
    kept_months_after_end: int = Field(default=24, ge=0, le=120)
    """How long a member may sign in and read once the membership has ended; then everything is erased."""

    argon2_memory_kib: int = Field(default=19_456, ge=7_168)
    argon2_passes: int = Field(default=2, ge=1)
    argon2_lanes: int = Field(default=1, ge=1)
    hashing_threads: int = Field(default=2, ge=1)
    hashing_max_waiting: int = Field(default=64, ge=0)
