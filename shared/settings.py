"""Settings of a process, read from its environment; a missing or bad one stops the start and is named."""

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.logs import configure
from shared.sealing import Keyring

EX_CONFIG = 78
"""Exit status of a process whose settings are wrong (sysexits.h)."""


def _are_keys(secret: SecretStr) -> SecretStr:
    Keyring.from_setting(secret.get_secret_value())
    return secret


Keys = Annotated[SecretStr, AfterValidator(_are_keys)]
"""`<audience>/<version>:<base64url of 32 bytes>[,older…]`: the first seals, all open."""


# Whoever inherits from several of the classes below gets the configuration of the last: they must have the same.
_CONFIG = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)


class ServiceSettings(BaseSettings):
    """What every process has."""

    model_config = _CONFIG

    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    http_backlog_connections: int = Field(default=1024, ge=16)
    http_max_connections: int = Field(default=2000, ge=1)
    http_max_body_bytes: int = Field(default=1_048_576, ge=1024)
    http_drain_seconds: int = Field(default=10, ge=1)
    """How long requests under way may go on once the process is asked to stop."""
    log_level: str = "INFO"


class StatefulSettings(ServiceSettings):
    """What a process with a database and a place on the event backbone has besides."""

    mongo_url: SecretStr
    mongo_database: str
    mongo_pool_connections: int = Field(default=50, ge=1)
    mongo_wait_seconds: float = Field(default=2.0, gt=0)
    kafka_bootstrap_servers: str
    kafka_username: str
    kafka_password: SecretStr
    at_rest_keys: Keys
    jwks_url: str | None = None
    """auth's public keys; every service but auth needs it."""
    token_issuer: str = "espace-assure"  # noqa: S105 - a name, not a secret
    inbox_days: int = Field(default=21, ge=8)
    """Longer than the topics' retention plus the time in which a dead letter may be replayed."""
    consumer_max_records: int = Field(default=500, ge=1, le=5000)

    def required_jwks_url(self) -> str:
        """`jwks_url`, or the refusal to start without it."""
        if self.jwks_url is None:
            refuse(self.mongo_database, ["JWKS_URL is missing"])
        return self.jwks_url


def _origin(text: str) -> str:
    """`scheme://host[:port]` and nothing behind it, so that it can be compared with an Origin header as it stands."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an origin: scheme, host and port only")
    return f"{parts.scheme}://{parts.netloc}".lower()


Origin = Annotated[str, AfterValidator(_origin)]


class BrandSettings(BaseSettings):
    """Whose portal it is: what pages, mails and letters say alike. The defaults are a made-up insurer's."""

    model_config = _CONFIG

    brand_name: str = Field(default="Plansanté", min_length=1)
    portal_url: Origin
    """The public origin."""
    centre_name: str = Field(default="Centre de gestion Plansanté", min_length=1)
    centre_phone: str = Field(default="04 65 71 00 00", min_length=1)
    """As people read it; by default one of the numbers that ARCEP keeps for fiction."""
    centre_address: str = Field(default="TSA 10001, 69303 LYON CEDEX 07", min_length=1)
    """Lines separated by commas."""


class PasswordSettings(BaseSettings):
    """What auth asks of a password and the pages say of it: both need the same."""

    model_config = _CONFIG

    password_min_length: int = Field(default=12, ge=8, le=64)
    """Characters of a password that a member chooses."""


S = TypeVar("S", bound=ServiceSettings)


def load(cls: type[S], service: str) -> S:
    """Read the settings and start logging, or leave with status 78, naming each setting that is missing or wrong."""
    try:
        settings = cls()
        configure(service, settings.log_level)
    except ValidationError as error:
        refuse(service, [_sentence(problem) for problem in error.errors(include_input=False, include_url=False)])
    return settings


def _sentence(problem: ErrorDetails) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    return f"{name} is missing" if problem["type"] == "missing" else f"{name} is wrong: {problem['msg']}"


def refuse(service: str, problems: Sequence[str]) -> NoReturn:
    """Leave with status 78, one line a problem."""
    for problem in problems:
        sys.stderr.write(f"{service}: setting {problem}\n")
    sys.stderr.write(f"{service}: not started; see services/{service}/README.md for its settings\n")
    raise SystemExit(EX_CONFIG)
