"""What MongoDB refuses that passes by itself, and what two transactions that meet are told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

_DUPLICATE_KEY = 11000
# WriteConflict, LockTimeout, MaxTimeMSExpired, SnapshotUnavailable, NoSuchTransaction, TransactionTooOld,
# ExceededTimeLimit, PrimarySteppedDown, the interrupted and not-primary family: each passes by itself.
_PASSING_CODES = frozenset({24, 50, 91, 112, 189, 225, 246, 251, 262, 10107, 11600, 11602, 13435, 13436})


class WriteConflict(Exception):
    """Two transactions met on one key that both create; the loser tries again and then sees it."""


def passes(error: BaseException) -> bool:
    """Whether trying again later is the remedy: no primary, a broken network, a conflict, a time limit."""
    if isinstance(error, WriteConflict | ConnectionFailure | AutoReconnect | ExecutionTimeout | WaitQueueTimeoutError):
        return True
    if isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"):
        return True
    return isinstance(error, OperationFailure) and error.code in _PASSING_CODES


@contextmanager
def conflicts() -> Iterator[None]:
    """What another transaction created since our snapshot is a conflict: the next try sees it."""
    try:
        yield
    except DuplicateKeyError as error:
        raise WriteConflict from error
    except BulkWriteError as error:
        details: Mapping[str, Any] = error.details or {}
        if {e.get("code") for e in details.get("writeErrors", [])} != {_DUPLICATE_KEY}:
            raise
        raise WriteConflict from error
