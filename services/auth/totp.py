"""Codes of an authenticator app: TOTP (RFC 6238), six digits, SHA-1, steps of 30 seconds, as every app has them."""

import hmac
import re
import unicodedata
from datetime import datetime
from typing import Final

import pyotp

STEP_S: Final = 30
DRIFT_STEPS: Final = 1
"""A telephone's clock may be that far off, or its reader slow (RFC 6238, 5.2)."""
DIGITS: Final = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """160 random bits in base32, the length of the hash (RFC 4226, 4)."""
    return pyotp.random_base32(32)


def uri(secret: str, *, issuer: str, account: str) -> str:
    """What a QR code hands to an app: `otpauth://totp/…`. `account`: by which the member tells two of them apart."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def typed_code(text: str) -> str | None:
    """The six digits of what was typed, spaces allowed; None for anything else."""
    compact = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    return compact if DIGITS.fullmatch(compact) else None


def code_at(secret: str, step: int) -> str:
    """The code of that step of time."""
    return pyotp.TOTP(secret).generate_otp(step)


def step_of(now: datetime) -> int:
    """How many steps have passed since 1970."""
    return int(now.timestamp()) // STEP_S


def matching_step(secret: str, code: str, now: datetime, *, after: int = -1) -> int | None:
    """The step whose code `code` is: this one, the one before or the one behind, but none up to `after`.

    Every step is compared, each in constant time.
    """
    current = step_of(now)
    steps = range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1)
    matches = [step for step in steps if hmac.compare_digest(code_at(secret, step), code)]
    return next((step for step in matches if step > after), None)
