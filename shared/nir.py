"""The NIR, a person's number in France's RNIPP ("N° de Sécurité sociale", "N° INSEE").

13 characters: sex, year and month of birth, place of birth, serial; then a key of 2 digits = 97 - (number mod 97), with
2A read as 19 and 2B as 18. We keep the 13. Sex is 1 or 2; the month is 01-12, or 20-99 where it is unknown or not of
the calendar (https://www.insee.fr/en/metadonnees/definition/c1409). python-stdnum knows the key but not the month.
"""

import re
from typing import NewType

from stdnum.fr import nir as stdnum_nir

Nir = NewType("Nir", str)
"""13 characters, upper case, without the key."""

_FORM = re.compile(r"[12][0-9]{2}(?:0[1-9]|1[0-2]|[2-9][0-9])(?:[0-9]{2}|2A|2B)[0-9]{6}")
_LENGTH = 13


class InvalidNir(ValueError):
    """Not a NIR. The message never contains the text."""


def normalise(text: str) -> Nir:
    """The 13 characters of a NIR written with or without its key, spaces and dots allowed.

    Raises InvalidNir: wrong length, characters, sex, month or key.
    """
    compact = stdnum_nir.compact(text)
    number, written_key = compact[:_LENGTH], compact[_LENGTH:]
    if not _FORM.fullmatch(number):
        raise InvalidNir("not the form of a NIR")
    if written_key and written_key != key(Nir(number)):
        raise InvalidNir("the key does not fit the number")
    return Nir(number)


def key(nir: Nir) -> str:
    """The 2 digits of the key."""
    return str(stdnum_nir.calc_check_digits(nir))


def grouped(nir: Nir) -> str:
    """As printed on the carte Vitale, with the key: `2 84 05 75 117 001 28`."""
    return str(stdnum_nir.format(nir + key(nir)))


def masked(nir: Nir) -> str:
    """Sex and year only, the rest as dots: `2 84 •• •• ••• ••• ••`."""
    shown = grouped(nir)
    return shown[:4] + re.sub(r"\S", "•", shown[4:])
