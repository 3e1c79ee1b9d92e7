"""Recovery codes: on paper, for the day when the telephone is lost. Each serves once."""

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Final

from services.auth.passwords import ALPHABET, normal

HOW_MANY: Final = 10
CHARACTERS: Final = 12  # 12 x log2(24) = 55 bits
GROUP: Final = 4


def new_codes() -> list[str]:
    """Ten of them as shown: `XXXX-XXXX-XXXX`, without the letters that paper confuses."""
    return [_grouped("".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))) for _ in range(HOW_MANY)]


def typed_code(text: str) -> str | None:
    """The form that is hashed (any case, spaces and hyphens ignored); None for what is no such code."""
    compact = re.sub(r"[\s\-\u2010-\u2015]", "", normal(text)).upper()
    return compact if len(compact) == CHARACTERS and set(compact) <= set(ALPHABET) else None


def without(stored: Sequence[str], hashed: str) -> list[str] | None:
    """Those that are left once `hashed` has served; None if it is not among them. Every one is compared."""
    matches = [hmac.compare_digest(each, hashed) for each in stored]
    return [each for each, served in zip(stored, matches, strict=True) if not served] if any(matches) else None


def _grouped(code: str) -> str:
    return "-".join(code[i : i + GROUP] for i in range(0, CHARACTERS, GROUP))
