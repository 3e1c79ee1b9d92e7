"""The object store (plain S3, MinIO), bounded in threads, waits and bytes.

Whole small objects (`put`, `get`) and large ones as a stream (`put_stream`, `open`), which hold a part of 5 MiB or a
piece of 1 MiB in memory, whatever the object's size. A stream is a row of short calls: a slow client holds neither a
thread nor a connection between two of them.
"""

from shared.objects.errors import (
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreRefused,
    ObjectStoreUnavailable,
    ObjectTooLarge,
)
from shared.objects.settings import ObjectStoreSettings
from shared.objects.store import ObjectStore, OpenedObject, WrittenObject

__all__ = [
    "ObjectNotFound",
    "ObjectStore",
    "ObjectStoreError",
    "ObjectStoreRefused",
    "ObjectStoreSettings",
    "ObjectStoreUnavailable",
    "ObjectTooLarge",
    "OpenedObject",
    "WrittenObject",
]
