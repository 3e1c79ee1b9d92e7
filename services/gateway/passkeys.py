"""What a browser's script puts into a form: the answer of a passkey, as text. auth alone reads what it says."""

import json
from typing import Final

from services.gateway.upstream import Json

_MOST_DIGITS: Final = 9


def credential(text: str) -> Json:
    """The answer as it goes to auth; an empty one, which auth refuses, for what is none or could not be sent on."""
    try:
        answer = json.loads(text, parse_int=_number)
        json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("no number of a passkey")
    return int(digits)
