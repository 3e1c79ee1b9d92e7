"""The browser's cookies: one place for their flags, and for handing them to the answer whatever its kind."""

from starlette.requests import Request
from starlette.types import Scope

_QUEUE = "cookies_to_set"


class Cookies:
    """Session cookies (seed: « Ce site Web utilise des cookies de session »): gone when the browser closes.

    The only ones that stay are those of a device that the member asked to stay signed in on.

    Over TLS each is `Secure` and named `__Host-…`, so that no other host of the domain can plant one (RFC 6265bis).
    """

    def __init__(self, *, secure: bool) -> None:
        self._prefix = "__Host-" if secure else ""
        self._flags = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def get(self, request: Request, name: str) -> str | None:
        """The value the browser sent."""
        return request.cookies.get(self._prefix + name)

    def set(self, request: Request, name: str, value: str, *, lives_s: int | None = None) -> None:
        """Have the answer to `request` set the cookie. `value` must be of base64url characters and dots.

        `lives_s`: seconds that the browser keeps it for; without, until it closes.
        """
        age = "" if lives_s is None else f"; Max-Age={max(0, lives_s)}"
        self._queue(request, name, f"{self._prefix}{name}={value}{age}{self._flags}")

    def delete(self, request: Request, name: str) -> None:
        """Have the answer to `request` take the cookie back."""
        self._queue(request, name, f"{self._prefix}{name}=; Max-Age=0{self._flags}")

    def _queue(self, request: Request, name: str, header: str) -> None:
        request.scope.setdefault("state", {}).setdefault(_QUEUE, {})[name] = header


def queued(scope: Scope) -> list[str]:
    """The `Set-Cookie` values that the answer to this request must carry."""
    return list(scope.get("state", {}).get(_QUEUE, {}).values())
