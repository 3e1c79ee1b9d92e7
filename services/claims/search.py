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


def found_by(ids: Iterable[str], texts: Iterable[str]) -> tuple[str, ...]:
    """What a claim with these ids and texts is found by, the first ones first where there are too many words."""
    return tuple(dict.fromkeys(chain(_words(" ".join(ids)), *map(_words_again, texts))))[:MAX_WORDS]


@lru_cache(maxsize=4096)
def _words_again(text: str) -> Sequence[str]:
    """The same, of acts, providers and reasons, which come again and again: taking a text apart is slow."""
    return _words(text)


def _words(text: str) -> Sequence[str]:
    plain = text.lower() if text.isascii() else _plain(text)
    return [word[:MAX_WORD_CHARACTERS] for word in _WORD.findall(plain)]


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES))
    return "".join(c for c in plain if not unicodedata.combining(c))
