"""What a member's search compares: words without accents or capitals, found by their beginnings."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

MAX_WORDS: Final = 200
"""That one claim is found by."""
MAX_WORD_CHARACTERS: Final = 40
"""Of a longer word its beginning counts, in claims and in searches alike."""

_WORD: Final = re.compile(r"[^\W_]+")
_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae"})  # Unicode does not take these two apart


def words(text: str) -> list[str]:
    """The words of `text` as they are compared, each once: `L’Hôpital du Cœur` has l, hopital, du, coeur."""
    return list(dict.fromkeys(_words(text)))


def found_by(texts: Iterable[str]) -> tuple[str, ...]:
    """What a claim with these texts is found by, the first texts first where there are too many words."""
    return tuple(dict.fromkeys(chain.from_iterable(map(_words, texts))))[:MAX_WORDS]


@lru_cache(maxsize=4096)  # acts, providers and reasons come again and again; taking a text apart is slow
def _words(text: str) -> Sequence[str]:
    plain = text.lower() if text.isascii() else _plain(text)
    return [word[:MAX_WORD_CHARACTERS] for word in _WORD.findall(plain)]


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES))
    return "".join(c for c in plain if not unicodedata.combining(c))
