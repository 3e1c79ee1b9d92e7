"""Settings of notifications, on top of what every stateful service has."""

from pydantic import Field, SecretStr

from shared.objects import ObjectStoreSettings
from shared.settings import BrandSettings, Keys, StatefulSettings


class NotificationsSettings(StatefulSettings, ObjectStoreSettings, BrandSettings):
    """Where letters and mails go, who signs them, and the bounds of the work."""

    sealing_keys: Keys

    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    smtp_connections: int = Field(default=4, ge=1, le=50)
    smtp_timeout_seconds: float = Field(default=10.0, gt=0)
    smtp_idle_seconds: float = Field(default=20.0, gt=0)
    """How long an unused connection is kept; servers hang up on idle clients sooner or later."""
    mail_from: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    mail_retry_hours: int = Field(default=72, ge=1)
    """How long a mail without a link is tried; one with a link is tried until the link expires."""

    letter_workers: int = Field(default=2, ge=1, le=16)
    letter_kept_days: int = Field(default=7, ge=0)
    """A letter is deleted this long after it was posted."""

    live_max_streams: int = Field(default=1_000, ge=1)
    live_max_changes: int = Field(default=200, ge=1)
    """That wait for one stream; beyond them its client is told to read everything again."""
