"""The browser's session: access and refresh token in one sealed, HttpOnly cookie, so that any replica serves anyone.

Nothing is kept here between two requests. Two requests that refresh at the same time are given the same successor by
auth, so it does not matter whose cookie the browser keeps.
"""

import time
from http import HTTPStatus
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pyreqwest.exceptions import TransportError
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.client_address import client_address
from services.gateway.cookies import Cookies
from services.gateway.file_form import FileForm
from services.gateway.passing import passed_on
from services.gateway.rate_limits import RateLimits
from services.gateway.routes import ROUTES
from services.gateway.schemas.account import SignedIn, TokenPair
from services.gateway.settings import Network
from services.gateway.upstream import Answer, Json, Upstreams, away
from shared.app import API_PREFIX
from shared.errors import NotFound, Problem, RequiredAction, TooLarge, TooManyRequests, Unauthenticated, Unavailable
from shared.sealing import Keyring, SealingError

REFRESH_BEFORE_S: Final = 30
"""A page may call several services with its token: it must outlive them all."""

_SESSION, _DEVICE, _LINK = "session", "device", "link"


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
        self,
        upstreams: Upstreams,
        rate_limits: RateLimits,
        cookies: Cookies,
        keyring: Keyring,
        trusted_proxies: tuple[Network, ...] = (),
    ) -> None:
        self._upstreams, self._rate_limits = upstreams, rate_limits
        self._cookies, self._keyring = cookies, keyring
        self._trusted = trusted_proxies

    def address(self, request: Request) -> str:
        """Where the client is, by what our own TLS terminators say and nobody else."""
        return client_address(request, self._trusted)

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
            self.know_device(request, signed_in.device_token)
        return self._keep(request, WebSession.of(signed_in))

    def know_device(self, request: Request, device_token: str) -> None:
        """Have this browser show auth at its next sign-in that it is known."""
        self._cookies.set(request, _DEVICE, self._keyring.seal_at_rest(device_token, context=_DEVICE))

    def device_token(self, request: Request) -> str | None:
        """What shows auth that this browser signed in before."""
        return self._opened(request, _DEVICE)

    def hold_link(self, request: Request, token: str) -> None:
        """Keep the token of a mailed link, so that it need not stay in the address bar."""
        self._cookies.set(request, _LINK, self._keyring.seal_at_rest(token, context=_LINK))

    def held_link(self, request: Request) -> str | None:
        """The token kept by `hold_link`."""
        return self._opened(request, _LINK)

    def drop_link(self, request: Request) -> None:
        """Take that token back."""
        self._cookies.delete(request, _LINK)

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
        """Ask auth something that needs no session; as often as the same path of the API may be asked."""
        route = next(route for route in ROUTES if route.path == API_PREFIX + path and method in route.methods)
        await self._rate_limits.count(route, self.address(request))
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
        idempotency_key: str | None = None,
    ) -> Answer:
        """Ask a service in the member's name. Raises `Unauthenticated`, `RequiredAction` or `Unavailable`."""
        answer = await self._call(
            request,
            method,
            service,
            path,
            session.access_token,
            body=body,
            query=query,
            idempotency_key=idempotency_key,
        )
        return self._in_session(request, answer)

    async def send_form(
        self, request: Request, session: WebSession, service: str, path: str, *, form: FileForm, idempotency_key: str
    ) -> Answer:
        """Pass a form with a file on in the member's name, as it comes.

        Raises `FileTooLarge` and the same as `call`.
        """
        address, token = self.address(request), session.access_token
        passed = self._upstreams.on_behalf("POST", service, path, client_address=address, token=token, file=True)
        passed = passed.header("content-type", form.content_type).header("idempotency-key", idempotency_key)
        try:
            answer = await self._upstreams.answer(service, passed.body_stream(form.whole()))
        except TransportError as error:
            raise form.refused or away(service, error) from None
        return self._in_session(request, answer)

    async def download(self, request: Request, session: WebSession, service: str, path: str) -> Response:
        """A file of the member's as it comes. Raises `NotFound`, `TooLarge` and the same as `call`."""
        address, token = self.address(request), session.access_token
        sent = self._upstreams.on_behalf("GET", service, path, client_address=address, token=token).build_streamed()
        try:
            answer = await sent.__aenter__()
        except TransportError as error:
            raise away(service, error) from None
        if answer.status == HTTPStatus.OK:
            return passed_on(service, sent, answer)
        await sent.__aexit__(None, None, None)
        if answer.status == Unauthenticated.status:
            self.forget(request)
        raise _refusal(answer.status)

    def _in_session(self, request: Request, answer: Answer) -> Answer:
        """`answer`, unless the service no longer takes the session's token."""
        if answer.status == Unauthenticated.status:
            self.forget(request)
            raise Unauthenticated
        if answer.code == RequiredAction.code:
            raise RequiredAction
        return answer

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
        idempotency_key: str | None = None,
    ) -> Answer:
        return await self._upstreams.call(
            method,
            service,
            path,
            client_address=self.address(request),
            token=token,
            body=body,
            query=query,
            idempotency_key=idempotency_key,
        )

    def _opened(self, request: Request, name: str) -> str | None:
        sealed = self._cookies.get(request, name)
        try:
            return self._keyring.open_at_rest(sealed, context=name).decode() if sealed else None
        except SealingError:
            return None

    def _keep(self, request: Request, session: WebSession) -> WebSession:
        self._cookies.set(request, _SESSION, self._keyring.seal_at_rest(session.model_dump_json(), context=_SESSION))
        return session


def _refusal(status: int) -> Problem:
    """What a file is refused with, by the service's status alone."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable()
    known: tuple[type[Problem], ...] = (Unauthenticated, RequiredAction, TooLarge, TooManyRequests)
    return next((error for error in known if error.status == status), NotFound)()
