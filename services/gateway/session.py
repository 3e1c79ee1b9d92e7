"""The browser's session: access and refresh token in one sealed, HttpOnly cookie, so that any replica serves anyone.

Nothing is kept here between two requests. Two requests that refresh at the same time are given the same successor by
auth, so it does not matter whose cookie the browser keeps.
"""

import time
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pyreqwest.request import RequestBuilder
from starlette.requests import Request

from services.gateway.client_address import client_address
from services.gateway.cookies import Cookies
from services.gateway.schemas.account import SignedIn, TokenPair
from services.gateway.settings import Network
from services.gateway.upstream import Answer, Json, Upstreams
from shared.app import API_PREFIX
from shared.errors import RequiredAction, Unauthenticated
from shared.sealing import Keyring, SealingError

REFRESH_BEFORE_S: Final = 30
"""A page may call several services with its token: it must outlive them all."""

_SESSION, _DEVICE = "session", "device"


class WebSession(BaseModel):
    """What the cookie holds. `expires_at`: Unix seconds. `required_actions`: what the member must do first."""

    model_config = ConfigDict(frozen=True)

    access_token: str
    refresh_token: str
    expires_at: int
    required_actions: tuple[str, ...] = ()

    @classmethod
    def of(cls, pair: TokenPair) -> Self:
        """The session that a token pair opens or continues."""
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            expires_at=int(time.time()) + pair.expires_in,
            required_actions=pair.required_actions,
        )

    @property
    def near_its_end(self) -> bool:
        """Whether the access token must be renewed before it is used."""
        return self.expires_at - time.time() < REFRESH_BEFORE_S


class Sessions:
    """Opens, reads, continues and closes the sessions of browsers, and calls services on their behalf."""

    def __init__(
        self, upstreams: Upstreams, cookies: Cookies, keyring: Keyring, trusted_proxies: tuple[Network, ...] = ()
    ) -> None:
        self._upstreams, self._cookies, self._keyring = upstreams, cookies, keyring
        self._trusted = trusted_proxies

    def peek(self, request: Request) -> WebSession | None:
        """The session the browser says it has; whether it still stands only auth knows."""
        sealed = self._cookies.get(request, _SESSION)
        if not sealed:
            return None
        try:
            return WebSession.model_validate_json(self._keyring.open_at_rest(sealed, context=_SESSION))
        except (ValidationError, SealingError):
            return None

    async def current(self, request: Request) -> WebSession:
        """The session, with an access token that still has some life. Raises `Unauthenticated`, `Unavailable`."""
        session = self.peek(request)
        if session is None:
            raise Unauthenticated
        return await self.renew(request, session) if session.near_its_end else session

    async def renew(self, request: Request, session: WebSession) -> WebSession:
        """Continue with a new token pair, which also re-reads the required actions."""
        answer = await self.anonymous(request, "POST", "/session/refresh", {"refresh_token": session.refresh_token})
        if not answer.ok:
            self.forget(request)
            raise Unauthenticated
        return self._keep(request, WebSession.of(TokenPair.model_validate(answer.body)))

    def open(self, request: Request, signed_in: SignedIn) -> WebSession:
        """Begin a session in this browser, which becomes a known device."""
        if signed_in.device_token:
            self._cookies.set(request, _DEVICE, self._keyring.seal_at_rest(signed_in.device_token, context=_DEVICE))
        return self._keep(request, WebSession.of(signed_in))

    def device_token(self, request: Request) -> str | None:
        """What shows auth that this browser signed in before."""
        sealed = self._cookies.get(request, _DEVICE)
        try:
            return self._keyring.open_at_rest(sealed, context=_DEVICE).decode() if sealed else None
        except SealingError:
            return None

    async def close(self, request: Request) -> None:
        """Sign out: auth closes the session, the browser forgets it. Raises `Unavailable` if auth could not be told."""
        try:
            session = await self.current(request)
            await self._call(request, "DELETE", "auth", "/session", session.access_token)
        except Unauthenticated:
            pass  # it is over already
        self.forget(request)

    def forget(self, request: Request) -> None:
        """Take the session's cookie back."""
        self._cookies.delete(request, _SESSION)

    async def anonymous(self, request: Request, method: str, path: str, body: Json) -> Answer:
        """Ask auth something that needs no session."""
        return await self._call(request, method, "auth", path, None, body=body)

    async def call(
        self,
        request: Request,
        session: WebSession,
        method: str,
        service: str,
        path: str,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        """Ask a service in the member's name. Raises `Unauthenticated`, `RequiredAction` or `Unavailable`."""
        answer = await self._call(request, method, service, path, session.access_token, body=body, query=query)
        if answer.status == Unauthenticated.status:
            self.forget(request)
            raise Unauthenticated
        if answer.code == RequiredAction.code:
            raise RequiredAction
        return answer

    def asking(self, request: Request, session: WebSession, service: str, path: str) -> RequestBuilder:
        """A GET in the member's name, for a caller that streams the answer."""
        builder = self._upstreams.request("GET", service, API_PREFIX + path)
        builder = builder.header("x-forwarded-for", client_address(request, self._trusted))
        return builder.header("authorization", f"Bearer {session.access_token}", is_sensitive=True)

    async def _call(
        self,
        request: Request,
        method: str,
        service: str,
        path: str,
        token: str | None,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        address = client_address(request, self._trusted)
        return await self._upstreams.call(
            method, service, path, client_address=address, token=token, body=body, query=query
        )

    def _keep(self, request: Request, session: WebSession) -> WebSession:
        self._cookies.set(request, _SESSION, self._keyring.seal_at_rest(session.model_dump_json(), context=_SESSION))
        return session
