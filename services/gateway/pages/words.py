"""The words of the pages: a gettext catalogue for each language, and the language that a request gets."""

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

Language = Literal["fr", "en"]
SOURCE: Final[Language] = "fr"
"""Templates are written in it, and who asks for none of ours gets it."""
NAMES: Final[Mapping[Language, str]] = {"fr": "Français", "en": "English"}
"""Every language we speak, named in itself."""
LOCALES: Final[Mapping[Language, str]] = {"fr": "fr", "en": "en_GB"}
"""How dates and amounts are written in each (CLDR)."""
COOKIE: Final = "language"

_RANGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?")
"""One range of `Accept-Language` (RFC 9110, 12.5.4): its primary language and its quality."""


def file_of(language: Language) -> Path:
    """Where the catalogue of a language lies."""
    return Path(__file__).parent / "catalogue" / f"{language}.po"


def catalogue(language: Language) -> Catalog:
    """The catalogue as it is written. Raises `PoFileError` where it cannot be read."""
    with file_of(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def translations(language: Language) -> Translations:
    """The same, ready to be asked; a text that it lacks stays in French."""
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def chosen(cookie: str | None, accepted: str) -> Language:
    """The reader's own choice, else the one of ours that the browser likes best, the first named among equals."""
    for language in NAMES:
        if language == cookie:
            return language
    ranges = [match for match in map(_RANGE.fullmatch, accepted.split(",")) if match]
    wishes = {language: _wish(language, ranges) for language in NAMES}
    best = max(wishes, key=wishes.__getitem__)
    return best if wishes[best][0] > 0 else SOURCE


def _wish(language: Language, ranges: Sequence[re.Match[str]]) -> tuple[float, int]:
    """(quality, minus the place in the header): variants of a language stand for it, `*` for what is not named."""
    places: dict[str, tuple[float, int]] = {}
    for place, match in enumerate(ranges):
        primary, wish = match[1].lower(), (float(match[2] or 1), -place)
        places[primary] = max(wish, places.get(primary, wish))
    return places.get(language) or places.get("*") or (0.0, 0)
