"""Settings of the claims service."""

from pydantic import Field

from shared.settings import StatefulSettings


class ClaimsSettings(StatefulSettings):
    """What claims has besides what every stateful service has."""

    live_max_streams: int = Field(default=1_000, ge=1)
    live_max_changes: int = Field(default=200, ge=1)
    """That wait for one stream; beyond them its client is told to read everything again."""
