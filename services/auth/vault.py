"""What keeps identifiers findable and unreadable: lookup keys (HMAC-SHA256) and sealing at rest."""

import hashlib
import hmac
from typing import Literal

from services.auth.rules import Identifier
from shared.sealing import Keyring


class Vault:
    """Lookup keys need LOOKUP_KEY, what was sealed opens with AT_REST_KEYS: a copy of the database tells nothing."""

    def __init__(self, at_rest: Keyring, lookup_key: bytes) -> None:
        self._at_rest, self._lookup_key = at_rest, lookup_key

    def lookup(self, insurer: str, identifier: Identifier) -> str:
        """Under which key an identifier is stored; equal identifiers of one insurer have equal keys."""
        return self._mac(f"identifier|{insurer}|{identifier.kind or 'unknown'}|{identifier.value}")

    def place(self, lookup: str, kind: Literal["network", "device", "account"], where: str) -> str:
        """What the failed tries with an identifier are counted under: a network, a known device, or signed in."""
        return self._mac(f"attempts|{lookup}|{kind}|{where}")

    def second_factor(self, member_number: str) -> str:
        """Under which key the wrong codes of a member are counted, whatever they sign in with."""
        return self._mac(f"second_factor|{member_number}")

    def recovery_code(self, member_number: str, code: str) -> str:
        """What is stored of such a code: its 55 bits alone would be found from a plain hash."""
        return self._mac(f"recovery_code|{member_number}|{code}")

    def requests(self, network: str) -> str:
        """Under which key the requests without a challenge from a network are counted."""
        return self._mac(f"resets|{network}")

    def seal(self, member_number: str, field: str, text: str) -> str:
        """`text` as it may be stored in that field of that member's account."""
        return self._at_rest.seal_at_rest(text, context=_context(member_number, field))

    def open(self, member_number: str, field: str, sealed: str) -> str:
        """What `seal` was given. Raises `SealingError` if it was stored elsewhere or changed."""
        return self._at_rest.open_at_rest(sealed, context=_context(member_number, field)).decode()

    def _mac(self, text: str) -> str:
        return hmac.new(self._lookup_key, text.encode(), hashlib.sha256).hexdigest()


def _context(member_number: str, field: str) -> str:
    return f"auth/accounts/{member_number}/{field}"
