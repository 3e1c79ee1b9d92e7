"""What an own password must be. No classes of characters: length, and nothing that others would try first."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from services.auth.common_passwords import CommonPasswords
from services.auth.passwords import canonical_temporary, normal
from shared.errors import FieldError

MAX_LENGTH: Final = 128
MIN_DISTINCT: Final = 5
WITH_SECOND_FACTOR: Final = 8
"""Characters that are enough beside a second factor (NIST SP 800-63B-4, 3.1.1.2)."""

_SEQUENCES: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
)
_SIGNS: Final = r"[\W_]+"
_SIGNS_AND_DIGITS: Final = r"[\W\d_]+"
_DETAILS: Final = {
    "too_short": "At least {min_length} characters.",
    "too_long": f"At most {MAX_LENGTH} characters.",
    "only_digits": "Not only digits.",
    "too_repetitive": f"At least {MIN_DISTINCT} different characters.",
    "too_common": "Not a well-known password, word or row of keys.",
    "personal_data": "Not a name, a birth date, an address or a number of the account.",
    "looks_temporary": "Not of the form of a temporary password.",
    "unchanged": "Different from the current password.",
}
CODES: Final = tuple(_DETAILS)
"""Every reason there is: whoever shows forms needs words for each."""


class PasswordRules:
    """Says why a password is refused. Nothing here waits for anything: what is known was read at the start.

    `brand`: what the members' portal is called, the first word that a stranger tries there.
    """

    def __init__(self, *, min_length: int, common: CommonPasswords, brand: str) -> None:
        self._min_length, self._common = min_length, common
        self._words = common.french | {_letters(plain(brand))} - {""}

    def min_length(self, *, second_factor: bool) -> int:
        """How many characters it takes."""
        return min(WITH_SECOND_FACTOR, self._min_length) if second_factor else self._min_length

    def is_short(self, password: str) -> bool:
        """Whether it is too short to stand alone."""
        return _length(password) < self._min_length

    def weaknesses(self, password: str, *, personal: Iterable[str], min_length: int | None = None) -> list[str]:
        """Why `password` is refused as an own password: stable codes, in the order to show them; empty if it is good.

        12 characters that are not all digits reach the 50 bits that the CNIL asks where tries are limited
        (délibération 2022-100); it takes fewer where a second factor is asked too: `min_length` instead of the
        setting's. `personal`: names, dates, addresses and numbers of the member.
        """
        text = normal(password)
        if len(text) > MAX_LENGTH or len(password) > MAX_LENGTH:
            return ["too_long"]  # and nothing is compared with it
        checks = {
            "too_short": _length(password) < (self._min_length if min_length is None else min_length),
            "only_digits": text.isdigit(),
            "too_repetitive": len(set(text)) < MIN_DISTINCT,
            "too_common": self._is_common(plain(text)) or _is_row_of_keys(plain(text)),
            "personal_data": _is_personal(text, personal),
            "looks_temporary": canonical_temporary(text) is not None,
        }
        return [code for code, refused in checks.items() if refused]

    def described(self, codes: Sequence[str], field: str, *, min_length: int | None = None) -> list[FieldError]:
        """The codes of `weaknesses` as errors of `field`."""
        least = self._min_length if min_length is None else min_length
        return [FieldError(field, code, _DETAILS[code].format(min_length=least)) for code in codes]

    def _is_common(self, text: str) -> bool:
        """A known password under what people add to one; a French word or the brand, whatever is amid its letters."""
        return any(core in self._common for core in _cores(text)) or _once(_letters(text)) in self._words


def _length(password: str) -> int:
    return min(len(password), len(normal(password)))  # one sign may be 18 characters once it is normalised


def plain(text: str) -> str:
    """Lower case without accents, as the lists of common passwords are written."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _cores(text: str) -> Iterator[str]:
    """`text` and what it may be a decoration of by digits and signs, or a repetition of."""
    yield from _before_decoration(text)
    for core in (text, _stripped(_SIGNS, text), _stripped(_SIGNS_AND_DIGITS, text)):
        yield core
        yield _once(core)


def _before_decoration(text: str) -> Iterator[str]:
    """`abc123` of `abc1232026!`, and `abc`, `abc1`, …: nobody knows where the decoration of a word begins."""
    last_letter = max((i for i, c in enumerate(text) if c.isalpha()), default=len(text))
    for end in range(last_letter + 1, len(text)):
        yield text[:end]


def _stripped(edges: str, text: str) -> str:
    """Without what stands at both ends: ++azerty123++, 75soleil75!"""
    return re.sub(f"^{edges}|{edges}$", "", text)


def _once(text: str) -> str:
    repeated = re.fullmatch(r"(.+?)\1*", text, re.DOTALL)
    return repeated[1] if repeated else text


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)


def _is_row_of_keys(text: str) -> bool:
    return text.isalnum() and any(text in row + row for keys in _SEQUENCES for row in (keys, keys[::-1]))


def _is_personal(text: str, personal: Iterable[str]) -> bool:
    """Whether a personal datum makes up most of the password: taken away, fewer than 8 characters stay."""
    rest = before = re.sub(r"[^a-z0-9]", "", plain(text))
    for datum in personal:
        token = re.sub(r"[^a-z0-9]", "", plain(datum))
        if len(token) >= 3:
            rest = rest.replace(token, "")
    return rest != before and len(rest) < 8
