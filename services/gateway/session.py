"""The browser's session: access and refresh token in one sealed, HttpOnly cookie, so that any replica serves anyone.

Nothing is kept here between two requests. Two requests that refresh at the same time are given the same successor by
auth, so it does not matter whose cookie the browser keeps.
"""

import asyncio
import time
from http import HTTPStatus
from typing import Final

from pydantic import ValidationError
from pyreqwest.exceptions import TransportError
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.client_address import client_address
from services.gateway.cookies import Cookies
from services.gateway.file_form import FileForm
from services.gateway.idle import Idle, by_itself
from services.gateway.passing import passed_on
from services.gateway.rate_limits import RateLimits
from services.gateway.routes import ROUTES
from services.gateway.schemas.account import SignedIn, TokenPair
from services.gateway.sealed_cookies import SealedCookies
from services.gateway.settings import Network
from services.gateway.upstream import Answer, Json, Upstreams, away
from services.gateway.web_session import WebSession
from shared.app import API_PREFIX
from shared.errors import (
    MembershipOver,
    NotFound,
    Problem,
    RequiredAction,
    StepUpRequired,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from shared.logs import get_logger
from shared.sealing import Keyring

CLOSED_WITHIN_S: Final = 3
"""How long a page waits for auth to close a session that is over or gave way to another; auth ends it anyway, later."""

_SESSION, _OVER = "session", "session_over"

log = get_logger(__name__)


class Sessions:
    """Opens, reads, continues and closes the sessions of browsers, and calls services on their behalf."""

    def __init__(
        self,
        upstreams: Upstreams,
        rate_limits: RateLimits,
        cookies: Cookies,
        keyring: Keyring,
        *,
        idle: Idle,
        trusted_proxies: tuple[Network, ...] = (),
    ) -> None:
        self._upstreams, self._rate_limits, self.idle = upstreams, rate_limits, idle
        self._cookies, self.kept = cookies, SealedCookies(cookies, keyring)
        self._trusted = trusted_proxies

    def address(self, request: Request) -> str:
        """Where the client is, by what our own TLS terminators say and nobody else."""
        return client_address(request, self._trusted)

    def peek(self, request: Request) -> WebSession | None:
        """The session the browser says it has, unless its time is over; whether it still stands only auth knows."""
        session = self._held(request)
        return None if session is None or self._over(session) else session

    def ignore(self, request: Request) -> None:
        """Answer as to a stranger: a session that the browser may have is neither looked at nor prolonged."""
        request.state.session = None

    def noted(self, request: Request) -> WebSession | None:
        """`peek`, and the member was active, unless a script asked by itself."""
        session = self.peek(request)
        if session is None or by_itself(request) or not self.idle.worth_noting(session.seen_at):
            return session
        return self.prolong(request, session)

    def prolong(self, request: Request, session: WebSession) -> WebSession:
        """The member was active just now."""
        return self._keep(request, session.model_copy(update={"seen_at": time.time()}))

    async def current(self, request: Request) -> WebSession:
        """The session, with an access token that still has some life. Raises `Unauthenticated`, `Unavailable`."""
        await self.end_if_over(request)
        session = self.noted(request)
        if session is None:
            raise Unauthenticated
        return await self.renew(request, session) if session.near_its_end else session

    async def end_if_over(self, request: Request) -> None:
        """If the session ended for want of activity, auth closes it and the browser forgets all of it but that."""
        session = self._held(request)
        if session is None or not self._over(session):
            return
        await self._end(request, session)
        request.state.session_over = True
        self._cookies.set(request, _OVER, "1")

    async def _end(self, request: Request, session: WebSession) -> None:
        """Have auth close it, if that can be done soon; the browser forgets it."""
        try:
            async with asyncio.timeout(CLOSED_WITHIN_S):
                if session.near_its_end:
                    session = await self.renew(request, session)
                await self._call(request, "DELETE", "auth", "/session", session.access_token)
        except Unauthenticated:
            pass  # it is over already
        except (Problem, TimeoutError, ValidationError) as error:
            log.warning("session_not_closed", error=type(error).__name__)
        self.forget(request)

    def ended_by_itself(self, request: Request) -> bool:
        """Whether that is how the last session of this browser ended: whichever of its tabs noticed."""
        return hasattr(request.state, "session_over") or self._cookies.get(request, _OVER) is not None

    def left_s(self, session: WebSession) -> float | None:
        """Seconds until the session ends for want of activity; `None` where it does not."""
        return None if session.trusted else self.idle.left_s(session.seen_at)

    def ends_at(self, session: WebSession) -> float:
        """Unix seconds after which the session's present token must not be used for it any more."""
        left_s = self.left_s(session)
        return session.expires_at if left_s is None else min(session.expires_at, time.time() + left_s)

    async def renew(self, request: Request, session: WebSession) -> WebSession:
        """Continue with a new token pair, which also re-reads the required actions."""
        answer = await self.anonymous(request, "POST", "/session/refresh", {"refresh_token": session.refresh_token})
        if not answer.ok:
            self.forget(request)
            raise Unauthenticated
        pair = TokenPair.model_validate(answer.body)
        return self._keep(request, WebSession.of(pair, seen_at=session.seen_at, trusted=session.trusted))

    async def open(self, request: Request, signed_in: SignedIn, *, trusted: bool) -> WebSession:
        """Begin a session in this browser, which becomes a known device; the one that it held ends.

        `trusted`: the device is the member's own.
        """
        if before := self._held(request):
            await self._end(request, before)
        session = WebSession.of(signed_in, seen_at=time.time(), trusted=trusted)
        if signed_in.device_token:
            self.kept.know_device(request, signed_in.device_token, session.member, kept=trusted)
        if self._cookies.get(request, _OVER):
            self._cookies.delete(request, _OVER)
        return self._keep(request, session)

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
        request.state.session = None
        self._cookies.delete(request, _SESSION)

    async def anonymous(self, request: Request, method: str, path: str, body: Json) -> Answer:
        """Ask a service something that needs no session; as often as the same path of the API may be asked."""
        route = next(route for route in ROUTES if route.path == API_PREFIX + path and method in route.methods)
        self._rate_limits.count(route, self.address(request))
        return await self._call(request, method, route.service, path, None, body=body)

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
        """Ask a service in the member's name.

        Raises `Unauthenticated`, `RequiredAction`, `StepUpRequired`, `MembershipOver` or `Unavailable`.
        """
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

    async def download(
        self, request: Request, session: WebSession, service: str, path: str, *, query: dict[str, str] | None = None
    ) -> Response:
        """A file of the member's as it comes. Raises `NotFound`, `TooLarge` and the same as `call`."""
        address, token = self.address(request), session.access_token
        asked = self._upstreams.on_behalf("GET", service, path, client_address=address, token=token)
        sent = asked.query(query or {}).build_streamed()
        try:
            answer = await sent.__aenter__()
        except TransportError as error:
            raise away(service, error) from None
        if answer.status == HTTPStatus.OK:
            return await passed_on(service, sent, answer)
        await sent.__aexit__(None, None, None)
        if answer.status == Unauthenticated.status:
            self.forget(request)
        raise _refusal(answer.status)

    def _in_session(self, request: Request, answer: Answer) -> Answer:
        """`answer`, unless the service no longer takes the session's token."""
        if answer.status == Unauthenticated.status:
            self.forget(request)
            raise Unauthenticated
        for refusal in (RequiredAction, StepUpRequired, MembershipOver):
            if answer.code == refusal.code:
                raise refusal
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

    def _over(self, session: WebSession) -> bool:
        left_s = self.left_s(session)
        return left_s is not None and left_s <= 0

    def _held(self, request: Request) -> WebSession | None:
        """The session as this request has left it so far, else what the cookie says."""
        if hasattr(request.state, "session"):
            kept: WebSession | None = request.state.session
            return kept
        text = self.kept.get(request, _SESSION)
        try:
            return WebSession.model_validate_json(text) if text else None
        except ValidationError:
            return None

    def _keep(self, request: Request, session: WebSession) -> WebSession:
        request.state.session = session
        self.kept.set(request, _SESSION, session.model_dump_json(), lives_s=session.kept_s)
        return session


def _refusal(status: int) -> Problem:
    """What a file is refused with, by the service's status alone."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable()
    known: tuple[type[Problem], ...] = (Unauthenticated, RequiredAction, TooLarge, TooManyRequests)
    return next((error for error in known if error.status == status), NotFound)()
