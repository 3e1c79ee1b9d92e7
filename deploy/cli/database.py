"""A question to MongoDB with an operator's rights; what goes wrong ends the command."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from deploy.cli.environment import MissingSettings, mongo_url, portal_environment
from deploy.cli.exits import NO_SETTINGS, UNREACHABLE, fail

T = TypeVar("T")


def answer(ask: Callable[[str], Coroutine[Any, Any, T]], timeout_s: float) -> T:
    """What MongoDB answers, `timeout_s` after the question at the latest; else the exit."""
    try:
        url = mongo_url(portal_environment())
        with pymongo.timeout(timeout_s):
            return asyncio.run(ask(url))
    except MissingSettings as error:
        fail(NO_SETTINGS, str(error))
    except OperationFailure as error:
        # The server's full answer can repeat the command; its code name cannot.
        fail(UNREACHABLE, f"MongoDB refused: {(error.details or {}).get('codeName', error.code)}")
    except PyMongoError as error:
        fail(UNREACHABLE, f"no answer from MongoDB within {timeout_s:g} s: {type(error).__name__}")
