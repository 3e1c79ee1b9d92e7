"""`make env`: every secret drawn, nothing that is there already changed, readable by its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.compose import env
from deploy.local.paths import ROOT
from deploy.local.secrets import Secrets
from services.auth.settings import decoded_key, signing_seeds
from shared.sealing import Keyring
from tests.deploy.compose.file import VARIABLE

EXAMPLE = ROOT / ".env.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_every_secret_is_drawn_and_only_the_owner_may_read_it(file: Path) -> None:
    drawn = env.write(file, EXAMPLE)
    values = env.read(file)
    assert set(drawn) == set(env.variables(Secrets.drawn())) <= values.keys()
    assert all(len(values[name]) >= 32 for name in drawn)
    # Keys that several services hold apart, everything is another secret.
    assert len({values[name] for name in drawn}) == len(drawn)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keys_are_what_the_services_take(file: Path) -> None:
    env.write(file, EXAMPLE)
    values = env.read(file)
    assert Keyring.from_setting(values["SEALING_KEYS_NOTIFICATIONS"]).audience == "notifications"
    assert Keyring.from_setting(values["AT_REST_KEYS_CLAIMS"]).audience == "claims"
    assert len(decoded_key(values["LOOKUP_KEY_AUTH"])) == 32
    assert list(signing_seeds(values["SIGNING_KEYS_AUTH"])) == ["auth-1"]


def test_what_is_there_stays(file: Path) -> None:
    env.write(file, EXAMPLE)
    before = file.read_text()
    assert env.write(file, EXAMPLE) == []
    assert file.read_text() == before


def test_what_is_missing_is_added_and_what_is_empty_is_filled(file: Path) -> None:
    file.write_text(
        "PORTAL_URL=https://espace.example\nGATEWAY_PORT=8443\nKAFKA_PASSWORD_AUTH=kept\nLOOKUP_KEY_AUTH=\n"
    )
    file.chmod(0o644)
    drawn = env.write(file, EXAMPLE)
    values = env.read(file)
    assert values["PORTAL_URL"] == "https://espace.example"
    assert values["GATEWAY_PORT"] == "8443"
    assert values["KAFKA_PASSWORD_AUTH"] == "kept"
    assert "KAFKA_PASSWORD_AUTH" not in drawn
    assert len(decoded_key(values["LOOKUP_KEY_AUTH"])) == 32
    assert values["SMTP_HOST"] == "mailpit"
    assert set(env.variables(Secrets.drawn())) <= values.keys()
    assert file.read_text().count("LOOKUP_KEY_AUTH=") == file.read_text().count("GATEWAY_PORT=") == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_that_the_example_forgot_is_an_error_not_a_gap(file: Path, tmp_path: Path) -> None:
    example = tmp_path / "example"
    example.write_text("".join(line for line in EXAMPLE.read_text().splitlines(True) if "LOOKUP_KEY" not in line))
    with pytest.raises(LookupError, match="LOOKUP_KEY_AUTH"):
        env.write(file, example)
    assert not file.exists()


def test_the_example_names_exactly_what_the_compose_file_reads() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    read = {found["name"] for found in VARIABLE.finditer(compose)}
    lines = EXAMPLE.read_text().splitlines()
    named = [line.split("=")[0].lstrip("#") for line in lines if "=" in line and not line.startswith("# ")]
    assert set(named) == read
    assert len(named) == len(set(named))


def test_the_example_holds_no_secret() -> None:
    values = env.read(EXAMPLE)
    assert {values[name] for name in env.variables(Secrets.drawn())} == {""}


def test_env_is_kept_out_of_version_control_and_of_images() -> None:
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()
    allowed = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert not [line for line in allowed if ".env" in line]


@pytest.mark.parametrize("name", ["SIGNING_KEYS_AUTH", "AT_REST_KEYS_CLAIMS", "COOKIE_KEYS_GATEWAY"])
def test_a_rotated_key_is_used_first_and_the_older_ones_still_open(file: Path, name: str) -> None:
    env.write(file, EXAMPLE)
    before = env.read(file)
    assert env.rotate(file, name).endswith("2")
    assert env.rotate(file, name).endswith("3")
    after = env.read(file)
    newest, middle, oldest = after[name].split(",")
    assert oldest == before[name]
    assert len({key.partition(":")[2] for key in (newest, middle, oldest)}) == 3
    assert {**after, name: before[name]} == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_rotated_key_opens_what_the_older_one_sealed_and_signs_under_a_new_name(file: Path) -> None:
    env.write(file, EXAMPLE)
    sealed = Keyring.from_setting(env.read(file)["AT_REST_KEYS_CLAIMS"]).seal_at_rest("x", context="here")
    for name in ("AT_REST_KEYS_CLAIMS", "SIGNING_KEYS_AUTH"):
        env.rotate(file, name)
    after = env.read(file)
    assert Keyring.from_setting(after["AT_REST_KEYS_CLAIMS"]).open_at_rest(sealed, context="here") == b"x"
    assert list(signing_seeds(after["SIGNING_KEYS_AUTH"])) == ["auth-2", "auth-1"]


def test_old_keys_are_retired(file: Path) -> None:
    env.write(file, EXAMPLE)
    env.rotate(file, "SIGNING_KEYS_AUTH")
    newest = env.read(file)["SIGNING_KEYS_AUTH"].split(",")[0]
    assert env.retire(file, "SIGNING_KEYS_AUTH", nobody_asks) == 1
    assert env.read(file)["SIGNING_KEYS_AUTH"] == newest


@pytest.mark.parametrize(
    ("in_use", "refused"),
    [
        (["auth/1"], "auth/3 is not used yet"),
        (["auth/1", "auth/3"], "sealed with auth/1; try later"),
        (["auth/1", "auth/2", "auth/3"], "sealed with auth/1, auth/2; try later"),
        ([], "auth/3 is not used yet"),
    ],
)
def test_a_key_under_which_something_may_be_sealed_is_not_retired(file: Path, in_use: list[str], refused: str) -> None:
    env.write(file, EXAMPLE)
    env.rotate(file, "AT_REST_KEYS_AUTH")
    env.rotate(file, "AT_REST_KEYS_AUTH")
    before = file.read_text()
    with pytest.raises(LookupError, match=refused):
        env.retire(file, "AT_REST_KEYS_AUTH", lambda service: {"auth": in_use}[service])
    assert file.read_text() == before


def test_a_key_under_which_nothing_is_sealed_any_more_is_retired(file: Path) -> None:
    env.write(file, EXAMPLE)
    env.rotate(file, "AT_REST_KEYS_AUTH")
    newest = env.read(file)["AT_REST_KEYS_AUTH"].split(",")[0]
    assert env.retire(file, "AT_REST_KEYS_AUTH", lambda _: ["auth/2"]) == 1
    assert env.read(file)["AT_REST_KEYS_AUTH"] == newest


def nobody_asks(service: str) -> list[str]:
    raise AssertionError(service)


@pytest.mark.parametrize("name", ["KAFKA_PASSWORD_AUTH", "LOOKUP_KEY_AUTH", "NO_SUCH"])
def test_what_has_no_versions_is_not_rotated(file: Path, name: str) -> None:
    env.write(file, EXAMPLE)
    before = file.read_text()
    with pytest.raises(LookupError):
        env.rotate(file, name)
    assert file.read_text() == before
