"""What can go wrong with an object.

ObjectStoreError
├── ObjectStoreUnavailable    it may work later: no connection, time-out, 5xx, every thread busy
├── ObjectStoreRefused        it will not: credentials, bucket, policy; `code` is S3's own
│   └── ObjectNotFound        there is no such object
└── ObjectTooLarge            beyond the limit, in either direction
"""

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

_PASSING_CODES = frozenset({"SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "ServiceUnavailable"})
_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchVersion"})


class ObjectStoreError(Exception):
    """Something about an object or its store. Its text holds codes, never a name or content."""


class ObjectStoreUnavailable(ObjectStoreError):
    """The store does not answer now; the same call may succeed later."""


class ObjectStoreRefused(ObjectStoreError):
    """The store answered no; only a change of settings or policy helps."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ObjectNotFound(ObjectStoreRefused):
    """There is no object of that name in that bucket."""


class ObjectTooLarge(ObjectStoreError):
    """The object has more bytes than allowed."""


def translated(error: Exception) -> ObjectStoreError:
    """The library's error as one of ours: what passes, what is not there, what is refused."""
    if isinstance(error, S3Error):
        code = error.code or "unknown"
        if code in _PASSING_CODES or error.response.status >= 500:
            return ObjectStoreUnavailable(code)
        return ObjectNotFound(code) if code in _MISSING_CODES else ObjectStoreRefused(code)
    if isinstance(error, MinioException) and not isinstance(error, ServerError | InvalidResponseError):
        return ObjectStoreRefused(type(error).__name__)
    return ObjectStoreUnavailable(type(error).__name__)
