"""What a browser's script puts into a form: the answer of a passkey, as text. auth alone reads what it says."""

import json

from services.gateway.upstream import Json


def credential(text: str) -> Json:
    """The answer as it goes to auth; an empty one, which auth refuses, for what is none."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
