"""Four words at random, offered wherever a password is chosen."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

WORDS_FILE: Final = Path(__file__).parent / "passphrases.txt"
"""One word a line; `passphrases.LICENSE.md` says where they come from."""
WORDS: Final = 4


class Passphrases:
    """`lampe-orage-violet-canal`: four different words of 5,797, drawn by the system's source of randomness.

    That is log2(5797 x 5796 x 5795 x 5794) = 50.00 bits for whoever knows the list and the way, the 50 that the CNIL
    asks where tries are limited (délibération 2022-100). Each word has 4 to 8 letters without accents, 4 of them
    different: with the hyphens every phrase passes auth's rules.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._random = secrets.SystemRandom()

    @classmethod
    def read(cls) -> Self:
        """With the words of the file beside this one, 43 kB."""
        return cls(WORDS_FILE.read_text(encoding="ascii").split())

    def draw(self) -> str:
        """Another one each time. It is kept nowhere."""
        return "-".join(self._random.sample(self._words, WORDS))
