"""Forms are only taken from our own pages: a signed double-submit token, and what the browser says of the origin."""

import hmac
import json
import secrets
from typing import Final, NamedTuple

from starlette.requests import Request

from services.gateway.cookies import Cookies
from shared.errors import Forbidden
from shared.sealing import Keyring, SealingError

FIELD: Final = "csrf"
_COOKIE: Final = "csrf"


class FormRefused(Forbidden):
    """A form that did not come from one of our pages, or from one that is too old."""

    code, title = "form_refused", "This form is no longer valid"


class _Opened(NamedTuple):
    """What a form carries. `member`: who was signed in when it was opened, if anybody was."""

    secret: str
    member: str | None


class Csrf:
    """Each browser has a random cookie; each form carries it sealed, so that neither can be made by a stranger.

    The seal also names the member who opened the form: it is never taken in another member's session. It is new at
    each rendering, so that compression of a page tells nothing about it.
    """

    def __init__(self, cookies: Cookies, keyring: Keyring, origin: str) -> None:
        self._cookies, self._keyring, self._origin = cookies, keyring, origin

    def token(self, request: Request, member: str | None) -> str:
        """The token for a form on the page that answers `request`, which gets the cookie if it has none."""
        secret = self._cookies.get(request, _COOKIE) or getattr(request.state, "csrf", None)
        if secret is None:
            secret = secrets.token_urlsafe(32)
            self._cookies.set(request, _COOKIE, secret)
        request.state.csrf = secret
        return self._keyring.seal_at_rest(json.dumps([secret, member]), context=FIELD)

    async def check(self, request: Request, member: str | None) -> None:
        """Refuse a POST that another site or a stranger made, or that was opened in another session than `member`'s."""
        if request.method == "POST":
            self._check_origin(request)
            self.check_token(request, (await request.form()).get(FIELD), member)

    def check_token(self, request: Request, token: object, member: str | None) -> None:
        """The same for a form whose body is read elsewhere: `token` is what it carries in `FIELD`."""
        self._check_origin(request)
        secret, form = self._cookies.get(request, _COOKIE), self._open(token)
        if form is None or not secret or not hmac.compare_digest(form.secret.encode(), secret.encode()):
            raise FormRefused
        if form.member and member and form.member != member:
            raise FormRefused

    def opener(self, request: Request, token: object) -> str | None:
        """The member who opened the form that carries `token`: enough to keep its text for them, not to act on it."""
        form = self._open(token) if self._from_here(request) else None
        return form.member if form else None

    def _check_origin(self, request: Request) -> None:
        if not self._from_here(request):
            raise FormRefused

    def _from_here(self, request: Request) -> bool:
        """Fetch metadata where the browser sends it, else the Origin.

        Under `Referrer-Policy: no-referrer` browsers write `Origin: null` on form posts: that says nothing, and the
        token decides.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return request.headers.get("origin", "null") in {"null", self._origin}

    def _open(self, token: object) -> _Opened | None:
        if not isinstance(token, str):
            return None
        try:
            text = self._keyring.open_at_rest(token, context=FIELD).decode()
        except SealingError:
            return None
        # A form that an older release rendered carries the secret alone.
        return _Opened(*json.loads(text)) if text.startswith("[") else _Opened(text, None)
