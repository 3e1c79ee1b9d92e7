"""Settings of documents: what every stateful service has, and an object store."""

from shared.objects import ObjectStoreSettings
from shared.settings import StatefulSettings


class DocumentsSettings(StatefulSettings, ObjectStoreSettings):
    """The database, the event backbone and the buckets of documents."""
