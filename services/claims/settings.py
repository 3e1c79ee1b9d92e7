"""Settings of the claims service."""

from pydantic import Field

from shared.settings import BrandSettings, StatefulSettings
from shared.typesetting import TypesettingSettings


class ClaimsSettings(StatefulSettings, TypesettingSettings, BrandSettings):
    """What claims has besides what every stateful service has; whose card and statements it prints."""

    live_max_streams: int = Field(default=1_000, ge=1)
    live_max_changes: int = Field(default=200, ge=1)
    """That wait for one stream; beyond them its client is told to read everything again."""

    consumer_lanes: int = Field(default=2, ge=1, le=16)
    """Batches of claim events that one process applies side by side, each from partitions of its own."""
    statement_quiet_seconds: float = Field(default=60.0, gt=0)
    """A payment's statement is announced when no claim of it has come for so long,"""
    statement_at_most_seconds: float = Field(default=900.0, gt=0)
    """but so long after its first claim at the latest."""
    statement_workers: int = Field(default=2, ge=1, le=16)
    statement_max_lines: int = Field(default=5_000, ge=1)
    """That one printed statement or list holds; a longer one is refused rather than cut short."""
    export_max_claims: int = Field(default=20_000, ge=1)
    """That one spreadsheet of a list holds; the same."""

    card_shares_max_open: int = Field(default=3, ge=1, le=20)
    """Links to one member's card that are open at the same time."""

    rebuild_max_records: int = Field(default=500, ge=1, le=5_000)
    """Claims made anew, or compared, that one transaction of a rebuild takes."""
