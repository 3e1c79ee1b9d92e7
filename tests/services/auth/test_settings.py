"""What the service refuses to start with."""

import os
from base64 import urlsafe_b64encode

import pytest

from services.auth.settings import AuthSettings
from shared.settings import EX_CONFIG, load


def _key() -> str:
    return urlsafe_b64encode(os.urandom(32)).decode()


@pytest.fixture(name="environment")
def _environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    settings = {
        "HTTP_PORT": "8081",
        "MONGO_URL": "mongodb://auth@127.0.0.1/auth",
        "MONGO_DATABASE": "auth",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "KAFKA_USERNAME": "auth",
        "KAFKA_PASSWORD": "secret",
        "AT_REST_KEYS": f"auth/1:{_key()}",
        "SEALING_KEYS": f"notifications/1:{_key()}",
        "SIGNING_KEYS": f"auth-1:{_key()}",
        "LOOKUP_KEY": _key(),
        "REFRESH_KEY": _key(),
        "ALTCHA_KEY": _key(),
        "PORTAL_URL": "https://espace.example",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_the_defaults_are_those_of_the_product() -> None:
    settings = load(AuthSettings, "auth")
    assert (settings.sign_in_max_failures, settings.sign_in_block_minutes) == (2, 15)
    assert (settings.sign_in_max_failures_per_day, settings.unlock_link_hours) == (25, 24)
    assert (settings.temporary_password_days, settings.activation_link_hours) == (30, 24)
    assert (settings.argon2_memory_kib, settings.argon2_passes, settings.argon2_lanes) == (19_456, 2, 1)
    assert settings.access_token_seconds == 300
    assert (settings.altcha_max_number, settings.resets_without_challenge_per_hour) == (500, 1)


@pytest.mark.parametrize(
    "name",
    [
        "LOOKUP_KEY",
        "REFRESH_KEY",
        "ALTCHA_KEY",
        "SIGNING_KEYS",
        "SEALING_KEYS",
        "AT_REST_KEYS",
        "MONGO_URL",
        "KAFKA_PASSWORD",
    ],
)
def test_a_missing_setting_stops_the_start_and_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    environment.delenv(name)
    with pytest.raises(SystemExit) as ended:
        load(AuthSettings, "auth")
    assert ended.value.code == EX_CONFIG
    assert f"setting {name} is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOOKUP_KEY", "c2hvcnQ"),
        ("REFRESH_KEY", "not base64 at all"),
        ("ALTCHA_KEY", "c2hvcnQ"),
        ("ALTCHA_MAX_NUMBER", "0"),
        ("SIGNING_KEYS", "no-key"),
        ("SEALING_KEYS", f"gateway/1:{'A' * 43}"),
        ("SIGN_IN_MAX_FAILURES", "0"),
        ("SIGN_IN_BLOCK_MINUTES", "0"),
        ("ARGON2_MEMORY_KIB", "1024"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named_but_not_shown(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(AuthSettings, "auth")
    assert ended.value.code == EX_CONFIG
    told = capsys.readouterr().err
    assert f"setting {name} is wrong" in told
    assert len(value) < 5 or value not in told
