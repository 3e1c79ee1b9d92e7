"""Where Kafka and MongoDB are and who we are there: the environment, else what the native stack wrote down."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from shared.kafka import KafkaAccess


class MissingSettings(Exception):
    """The message names every setting that is missing or unusable, and where it was looked for."""


def portal_environment() -> Mapping[str, str]:
    """The process environment over `portal.env` of the native stack, which exists once `make run` ran."""
    written = {name: value for name, value in dotenv_values(_portal_env()).items() if value is not None}
    return {**written, **os.environ}


def kafka_access(environment: Mapping[str, str]) -> KafkaAccess:
    """Raises MissingSettings."""
    servers, username, password = _set(environment, "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_USERNAME", "KAFKA_PASSWORD")
    return KafkaAccess(servers, username, SecretStr(password))


def mongo_url(environment: Mapping[str, str]) -> str:
    """The connection string, password included. Raises MissingSettings."""
    from pymongo.errors import PyMongoError
    from pymongo.uri_parser import parse_uri

    (url,) = _set(environment, "MONGO_URL")
    try:
        parse_uri(url)
    except (PyMongoError, ValueError):
        raise MissingSettings("MONGO_URL: not a MongoDB connection string") from None
    return url


def _set(environment: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise MissingSettings(f"{', '.join(missing)}: set in neither the environment nor {_portal_env()} (make run)")
    return [environment[name] for name in names]


def _portal_env() -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return Path(os.environ.get("ESPACE_ASSURE_HOME") or state / "espace-assure") / "portal.env"
