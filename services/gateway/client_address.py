"""Who is asking: the address that sign-in limits and logs go by."""

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.requests import Request

from services.gateway.settings import Network


def client_address(request: Request, trusted: Sequence[Network]) -> str:
    """The peer's address, or, behind trusted proxies, the nearest address in X-Forwarded-For that is not theirs.

    What strangers write into that header is never believed: it is read from the right, and only as far as each
    address that handed it over is one of our own TLS terminators.
    """
    address = request.client.host if request.client else "0.0.0.0"  # noqa: S104 - no socket: an unknown peer
    forwarded = [part.strip() for value in request.headers.getlist("x-forwarded-for") for part in value.split(",")]
    while forwarded and _is_trusted(address, trusted):
        address = forwarded.pop()
    return address if _is_address(address) else "0.0.0.0"  # noqa: S104 - the same


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
