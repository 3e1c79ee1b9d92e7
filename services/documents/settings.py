"""Settings of documents, on top of what every stateful service has."""

from pydantic import Field

from shared.objects import ObjectStoreSettings
from shared.settings import StatefulSettings

MIB = 1024 * 1024


class DocumentsSettings(StatefulSettings, ObjectStoreSettings):
    """The bounds of uploads, and of the work on what came in."""

    http_max_body_bytes: int = Field(default=26 * MIB, ge=1024)
    """A whole form: the file, the other fields, and what separates them."""
    file_max_bytes: int = Field(default=20_000_000, ge=1024)
    """One file; the pages say « 20 Mo »."""
    uploads_max_at_once: int = Field(default=20, ge=1)
    """Uploads under way in this process, each with up to 6 MiB in memory; beyond them 503."""
    upload_seconds: float = Field(default=900.0, gt=0)
    """The longest an upload may take."""
    upload_sweep_seconds: float = Field(default=3600.0, gt=0)
    """When the remains of an upload are removed whose process was killed; longer than `upload_seconds`."""
    intake_workers: int = Field(default=2, ge=1, le=16)
    intake_kept_seconds: float = Field(default=600.0, ge=0)
    """How long an object stays in the intake once it is accepted: a download that began there ends there."""
    delivery_max_bytes: int = Field(default=50 * MIB, ge=1024)
    delivery_tried_hours: float = Field(default=24.0, gt=0)
    delivery_retry_seconds: float = Field(default=60.0, gt=0)
    live_max_streams: int = Field(default=1_000, ge=1)
    live_max_changes: int = Field(default=200, ge=1)
    """That wait for one stream; beyond them its client is told to read everything again."""
