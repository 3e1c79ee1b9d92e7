"""The types of the fields that the contracts are made of. No value is ever converted from another type.

Texts are bounded, and lines hold no control character, so that no field can carry a mail header or a terminal escape.
"""

import re
from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Annotated, Literal, LiteralString

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

from shared import clock, nir


def broken(rule: LiteralString, field: str, message: LiteralString) -> PydanticCustomError:
    """The error of a rule between fields; `field` is the one to correct, `rule` a stable code."""
    return PydanticCustomError(rule, message, {"field": field})


def repeats(values: Iterable[Hashable]) -> bool:
    """Whether a value occurs twice."""
    listed = list(values)
    return len(set(listed)) < len(listed)


RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _written_as_rfc_3339(value: object) -> object:
    # pydantic alone also takes seconds since 1970 and a space instead of the T
    if isinstance(value, datetime) or (isinstance(value, str) and RFC_3339.fullmatch(value)):
        return value
    raise PydanticCustomError("instant_format", "Instant should be RFC 3339 with an offset")


def _nir_without_key(value: str) -> nir.Nir:
    if not value.isalnum():  # the spaces a person may type have no place in a contract
        raise PydanticCustomError("nir_invalid", "Should be a NIR of 13 characters, or 15 with its key")
    try:
        return nir.normalise(value)
    except nir.InvalidNir:
        raise PydanticCustomError("nir_invalid", "Should be a NIR of 13 characters, or 15 with its key") from None


_CC = r"\x00-\x1f\x7f-\x9f"
"""Unicode's control characters, written so that every language's regular expressions read it."""
_NOT_IN_EMAIL = rf'\s{_CC}@<>()\[\],;:"\\'

Instant = Annotated[
    AwareDatetime,
    Field(strict=False),  # what a before-validator passes on no longer counts as JSON, where text is a strict instant
    BeforeValidator(_written_as_rfc_3339),
    AfterValidator(clock.to_ms),
    PlainSerializer(clock.rfc3339, when_used="json"),
]
"""RFC 3339 with an offset; held in UTC, whole milliseconds."""

MIN_CENTS, MAX_CENTS = -(2**63), 2**63 - 1
Cents = Annotated[int, Field(ge=MIN_CENTS, le=MAX_CENTS)]
"""Integer euro cents in 64 bits, may be negative."""

MemberNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]

NirWithoutKey = Annotated[nir.Nir, AfterValidator(_nir_without_key)]
"""Accepted with or without key, held without."""

Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
"""An identifier that a publisher gave: visible ASCII."""

Code = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
"""A value of a list that its publisher owns and may extend."""

Line = Annotated[str, StringConstraints(max_length=200, pattern=rf"^[^{_CC}]*[^\s{_CC}][^{_CC}]*$")]
"""One line of text, not blank."""

Text = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""Several lines of text, not blank."""

Email = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=rf"^[^{_NOT_IN_EMAIL}]+@[^{_NOT_IN_EMAIL}]+\.[^{_NOT_IN_EMAIL}.]+$",
    ),
]

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
"""ISO 639-1."""

Rank = Annotated[int, Field(ge=1, le=99)]
"""A beneficiary's rank on the contract; 1 is the member."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$", to_lower=True)]

ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=rf"^[^{_CC}]+$")]
"""The key of an object in MinIO."""

Sealed = Annotated[
    str,
    StringConstraints(max_length=8192, pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$"),
]
"""A JWE compact string of shared/sealing.py; the contracts do not open it."""

DocumentIds = Annotated[tuple[Id, ...], Field(max_length=100)]

Domain = Literal["PHAR", "MED", "RLAX", "SAGE", "EXTE", "CSTE", "HOSP", "OPTI", "DESO", "DEPR", "AUDI", "DIV"]
"""The columns of the third-party-payment card."""
