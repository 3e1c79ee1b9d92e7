"""What the gateway reads of an access token without verifying it: the services verify, and decide."""

import base64
import binascii
import json
from typing import Any

from shared.errors import Unauthenticated


def expiry(token: str) -> int:
    """`exp` in Unix seconds: when to stop. Raises `Unauthenticated`."""
    try:
        return int(_payload(token)["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        raise Unauthenticated from None


def member(token: str) -> str | None:
    """`sub`, the member number: to tell one member's forms from another's."""
    try:
        return str(_payload(token)["sub"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None


def _payload(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
