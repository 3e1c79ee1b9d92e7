"""A process with a missing or wrong setting does not start, and names it without showing a value."""

import pytest

from shared.settings import EX_CONFIG, BrandSettings, ServiceSettings, StatefulSettings, load

COMPLETE = {
    "HTTP_PORT": "8099",
    "MONGO_URL": "mongodb://user:secret@127.0.0.1/x",
    "MONGO_DATABASE": "x",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "KAFKA_USERNAME": "x",
    "KAFKA_PASSWORD": "secret",
    "AT_REST_KEYS": f"x/1:{'A' * 43}",
}


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def test_a_complete_environment_is_read() -> None:
    assert load(StatefulSettings, "x").http_port == 8099


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("value", [None, ""])
def test_each_missing_setting_is_named(
    name: str, value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as left:
        load(StatefulSettings, "claims")
    assert left.value.code == EX_CONFIG
    said = capsys.readouterr().err
    assert f"claims: setting {name} is missing" in said
    assert "secret" not in said


def test_a_wrong_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTP_PORT", "eighty")
    with pytest.raises(SystemExit):
        load(ServiceSettings, "gateway")
    said = capsys.readouterr().err
    assert "gateway: setting HTTP_PORT is wrong" in said
    assert "eighty" not in said


def test_a_malformed_key_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AT_REST_KEYS", "x/1:tooshort")
    with pytest.raises(SystemExit) as left:
        load(StatefulSettings, "claims")
    assert left.value.code == EX_CONFIG
    said = capsys.readouterr().err
    assert "claims: setting AT_REST_KEYS is wrong" in said
    assert "tooshort" not in said


def test_an_empty_variable_is_an_absent_one_whatever_classes_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    class Joined(ServiceSettings, BrandSettings):
        pass

    monkeypatch.setenv("PORTAL_URL", "https://espace.example")
    monkeypatch.setenv("BRAND_NAME", "")
    assert load(Joined, "gateway").brand_name == BrandSettings.model_fields["brand_name"].default
