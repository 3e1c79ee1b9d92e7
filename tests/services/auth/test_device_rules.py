"""Which devices are known, which are news, and what they may be called."""

from datetime import UTC, datetime, timedelta

import pytest

from services.auth import rules
from services.auth.models import Account

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_ten_devices_are_known_and_the_one_unseen_longest_goes() -> None:
    account = _account()
    for day in range(11):
        account = rules.with_device(account, f"device-{day}", NOW + timedelta(days=day), trusted=day == 1)
    account = rules.with_device(account, "device-1", NOW + timedelta(days=20), trusted=False)
    known = {device.token_hash: device for device in account.devices}
    assert len(known) == 10
    assert "device-0" not in known
    assert known["device-1"].trusted
    assert known["device-1"].known_since == NOW + timedelta(days=1)


def test_devices_met_in_passing_do_not_push_out_the_members_own() -> None:
    account = rules.with_device(_account(), "phone", NOW, trusted=True)
    for day in range(1, 15):
        account = rules.with_device(account, f"library-{day}", NOW + timedelta(days=day), trusted=False)
    expected = ["phone", *(f"library-{day}" for day in range(6, 15))]
    assert sorted(device.token_hash for device in account.devices) == sorted(expected)
    own = _account()
    for day in range(11):
        own = rules.with_device(own, f"own-{day}", NOW + timedelta(days=day), trusted=True)
    own = rules.with_device(own, "library", NOW + timedelta(days=20), trusted=False)
    assert [device.token_hash for device in own.devices] == [*(f"own-{day}" for day in range(2, 11)), "library"]


def test_a_device_is_news_once_the_member_has_had_another() -> None:
    nobody = _account()
    assert not rules.is_new_device(nobody, "phone")
    known = rules.with_device(nobody, "phone", NOW, trusted=False)
    assert not rules.is_new_device(known, "phone")
    assert rules.is_new_device(known, "computer")
    assert rules.without_device(known, "phone").devices == []
    forgotten = _account(signed_in_at=NOW)  # every device it had was closed by a mailed link
    assert rules.is_new_device(forgotten, "computer")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (None, None),
        (" \n\t", None),
        ("://", None),
        ("Safari sur iPhone", "Safari sur iPhone"),
        ("Laure’s Été (iOS 17.5, 64-bit)", "Laure’s Été (iOS 17.5, 64-bit)"),
        ("Appelez http://evil.example/x?y=1 ou a@b.fr", "Appelez http evil example x y 1 ou a b fr"),
        ("\u202egpj.exe\r\nBcc: x", "gpj exe Bcc x"),
        ("evil．example １.２", "evil example 1.2"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_device_name_is_words_and_nothing_like_an_address(told: str | None, name: str | None) -> None:
    assert rules.plain_device_name(told) == name


def test_of_the_devices_shown_the_first_that_the_account_knows_counts() -> None:
    account = Account(member_number="1")
    for token_hash in ("a", "b"):
        account = rules.with_device(account, token_hash, NOW, trusted=False)
    assert rules.known_device(account, ["x", "b", "a"]) == "b"
    assert rules.known_device(account, ["x"]) is None
    assert rules.known_device(account, []) is None
    assert rules.known_device(None, ["a"]) is None


def _account(**fields: object) -> Account:
    return Account.model_validate({"member_number": "12345678", **fields})
