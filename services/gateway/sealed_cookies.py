"""What a browser keeps for us and cannot read: each cookie sealed for its own name."""

from typing import Final, Literal

from starlette.requests import Request

from services.gateway.cookies import Cookies
from services.gateway.known_devices import KnownDevices
from shared.sealing import Keyring, SealingError

KNOWN_FOR_S: Final = 395 * 24 * 3600
"""How long the member's own device stays known: 13 months, the most that the CNIL advises for a cookie."""

LinkCookie = Literal["link", "unlock_link"]
"""A page behind a mail has a cookie of its own: the links of two mails may be open side by side."""

_DEVICE: Final = "device"


class SealedCookies:
    """Reads and writes them."""

    def __init__(self, cookies: Cookies, keyring: Keyring) -> None:
        self._cookies, self._keyring = cookies, keyring

    def get(self, request: Request, name: str) -> str | None:
        """What was kept; `None` also for what is not ours or was sealed with a key that is gone."""
        sealed = self._cookies.get(request, name)
        try:
            return self._keyring.open_at_rest(sealed, context=name).decode() if sealed else None
        except SealingError:
            return None

    def set(self, request: Request, name: str, text: str, *, lives_s: int | None = None) -> None:
        """Have `text` kept for `lives_s` seconds; without, until the browser closes."""
        self._cookies.set(request, name, self._keyring.seal_at_rest(text, context=name), lives_s=lives_s)

    def delete(self, request: Request, name: str) -> None:
        """Take it back."""
        self._cookies.delete(request, name)

    def hold_link(self, request: Request, token: str, cookie: LinkCookie = "link") -> None:
        """Keep the token of a mailed link, so that it need not stay in the address bar."""
        self.set(request, cookie, token)

    def held_link(self, request: Request, cookie: LinkCookie = "link") -> str | None:
        """The token kept by `hold_link`."""
        return self.get(request, cookie)

    def drop_link(self, request: Request, cookie: LinkCookie = "link") -> None:
        """Take that token back."""
        self.delete(request, cookie)

    def know_device(
        self, request: Request, device_token: str, member: str | None = None, *, kept: bool = False
    ) -> None:
        """Have this browser show auth at its next sign-in that it is known; `member`: to whom, if we can tell.

        `kept`: once it was closed, too.
        """
        known = KnownDevices.read(self.get(request, _DEVICE)).joined_by(device_token, member, kept=kept)
        self.set(request, _DEVICE, known.model_dump_json(), lives_s=KNOWN_FOR_S if known.kept else None)

    def device_tokens(self, request: Request) -> list[str]:
        """What shows auth which members signed in here before."""
        return KnownDevices.read(self.get(request, _DEVICE)).tokens
