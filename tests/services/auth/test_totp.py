"""Codes of an app (RFC 6238) and recovery codes, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from services.auth import recovery_codes, totp
from services.auth.passwords import ALPHABET

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B: the ASCII string 12345678901234567890
RFC_CODES = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
NOW = datetime(2026, 11, 26, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(("at", "code"), RFC_CODES)
def test_the_codes_are_those_of_the_standard(at: int, code: str) -> None:
    now = datetime.fromtimestamp(at, UTC)
    assert totp.code_at(RFC_SECRET, totp.step_of(now)) == code[-6:]
    assert totp.matching_step(RFC_SECRET, code[-6:], now) == at // 30


def test_the_step_before_and_the_one_behind_are_taken_and_no_other() -> None:
    code, step = totp.code_at(RFC_SECRET, totp.step_of(NOW)), totp.step_of(NOW)
    taken = [seconds for seconds in range(-90, 91, 10) if _matches(code, NOW + timedelta(seconds=seconds))]
    assert taken == list(range(-40, 50, 10)), "NOW is ten seconds into its step"
    assert totp.matching_step(RFC_SECRET, code, NOW + timedelta(seconds=30)) == step


def test_a_step_that_has_served_and_those_before_it_serve_no_more() -> None:
    step = totp.step_of(NOW)
    for steps, good in ((-1, False), (0, False), (1, True)):
        code = totp.code_at(RFC_SECRET, step + steps)
        assert (totp.matching_step(RFC_SECRET, code, NOW, after=step) is not None) is good


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123\u00a0456", "123456"),
        ("１２３４５６", "123456"),
        ("12345", None),
        ("1234567", None),
        ("12345a", None),
        ("", None),
    ],
)
def test_six_digits_are_a_code_however_they_are_spaced(typed: str, code: str | None) -> None:
    assert totp.typed_code(typed) == code


def test_secrets_have_160_bits_and_the_address_for_apps_says_whose_they_are() -> None:
    secret = totp.new_secret()
    assert len(secret) * 5 == 160
    assert secret != totp.new_secret()
    address = urlsplit(totp.uri(secret, issuer="Plansanté", account="Espace Assuré 5678"))
    assert (address.scheme, address.netloc, unquote(address.path)) == (
        "otpauth",
        "totp",
        "/Plansanté:Espace Assuré 5678",
    )
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Plansanté"]}


def test_ten_recovery_codes_of_fifty_bits_and_more_are_read_as_people_type_them() -> None:
    codes = recovery_codes.new_codes()
    assert len(set(codes)) == 10
    assert len(ALPHABET) ** recovery_codes.CHARACTERS > 2**50
    for code in codes:
        canonical = recovery_codes.typed_code(code)
        assert canonical == code.replace("-", "")
        assert recovery_codes.typed_code(f" {code.lower().replace('-', ' ')} ") == canonical
    for other in ("", codes[0][:-1], codes[0] + "A", "OOOO-OOOO-OOOO", "123456"):
        assert recovery_codes.typed_code(other) is None


def test_a_recovery_code_that_served_is_gone_and_the_others_stay() -> None:
    assert recovery_codes.without(["a", "b", "c"], "b") == ["a", "c"]
    assert recovery_codes.without(["a", "c"], "b") is None


def _matches(code: str, now: datetime) -> bool:
    return totp.matching_step(RFC_SECRET, code, now) is not None
