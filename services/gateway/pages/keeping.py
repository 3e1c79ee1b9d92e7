"""No text is lost with a session: a form that cannot be taken now is shown again, with what was typed."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from services.gateway import csrf, drafts
from services.gateway.csrf import FormRefused
from services.gateway.drafts import Draft, Drafts
from services.gateway.pages.confirm_page import confirm_page
from services.gateway.pages.sign_in_page import sign_in_page
from services.gateway.pages.web import PageRoute, Web
from services.gateway.web_session import WebSession
from shared.errors import (
    MembershipOver,
    Problem,
    RequiredAction,
    StepUpRequired,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

_KEPT_AFTER: Final = (Unauthenticated, FormRefused, Unavailable, TooManyRequests, StepUpRequired, MembershipOver)

Show = Callable[[Web, Request, WebSession, Draft], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form of a personal page. `fields`: what is kept of it, never a password. `page`: where it is, if elsewhere."""

    action: re.Pattern[str]
    fields: tuple[str, ...]
    show: Show
    kept: Literal["text", "file", "choice", "step", "passwords", "button", "code", "filters"] = "text"
    """What the member is told of: a text, without its file, ticks, without a password, passwords, nothing, a code,
    filters."""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """That a form is shown again: at which address it belongs, why, what was kept.

    `why`: `back`, `old`, `retried` or `confirmed`.
    """

    address: str
    why: str
    kept: str


class Keeper:
    """Takes what was typed from a form that was not taken, and shows the form again once it can be."""

    def __init__(self, web: Web, drafts: Drafts, forms: Sequence[KeptForm]) -> None:
        self._web, self._drafts, self._forms = web, drafts, forms

    def open(self, sealed: str) -> Draft | None:
        """What the hidden field `garde` holds; `None` if it is not ours or too old."""
        return self._drafts.open(sealed)

    async def show(self, request: Request, session: WebSession, draft: Draft, why: str) -> Response:
        """The form with its text, in its own member's session and no other."""
        form = self._form(draft.action)
        if form is None or draft.member != session.member:
            return self._web.failed(request, FormRefused())
        request.state.shown = Shown(form.page or draft.action, why, form.kept)
        try:
            return await form.show(self._web, request, session, draft)
        except (RequiredAction, StepUpRequired):
            raise
        except Unauthenticated as error:
            return await self._sign_in(request, draft, error)
        except MembershipOver:
            return self._web.over(request, draft.typed)
        except Problem as error:
            return self._later(request, draft, error)

    async def failed(self, request: Request, error: Exception) -> Response:
        """The answer to a form that `error` kept from being taken."""
        if not isinstance(error, _KEPT_AFTER) or request.method != "POST":
            return self._web.failed(request, error)
        draft = await self._draft(request)
        if draft is None:
            return self._web.failed(request, error)
        session = self._web.sessions.peek(request)
        if session is None or isinstance(error, Unauthenticated):
            return await self._sign_in(request, draft, error)
        if session.member != draft.member:
            return self._web.failed(request, error)
        if not isinstance(error, FormRefused):
            return await self._not_yet(request, session, draft, error)
        response = await self.show(request, await self._web.sessions.current(request), draft, "old")
        response.status_code = error.status
        return response

    async def _draft(self, request: Request) -> Draft | None:
        """What was typed, if the form was opened by a member."""
        fields = getattr(request.state, "fields", None)  # of a form with a file, which is not read whole
        sent = await request.form() if fields is None else fields
        if carried := self._drafts.open(sent.get(drafts.FIELD)):
            return carried
        action = request.scope["raw_path"].decode("latin-1")
        form, member = self._form(action), self._web.csrf.opener(request, sent.get(csrf.FIELD))
        if form is None or member is None:
            return None
        typed = {name: text for name in form.fields if isinstance(text := sent.get(name), str)}
        return Draft(action=action, member=member, typed=typed)

    async def _sign_in(self, request: Request, draft: Draft, error: Exception) -> Response:
        await self._web.sessions.end_if_over(request)
        sealed = self._drafts.seal(draft)
        away = error if isinstance(error, (Unavailable, TooManyRequests)) else None
        context = {"suite": self._address(draft), "garde": sealed, "too_long": not sealed}
        status = away.status if away else Unauthenticated.status
        return sign_in_page(self._web, request, status, away=away is not None, **context)

    async def _not_yet(self, request: Request, session: WebSession, draft: Draft, problem: Problem) -> Response:
        """The password first, or a while; or never again."""
        if isinstance(problem, StepUpRequired):
            suite, sealed = self._address(draft), self._drafts.seal(draft)
            return await confirm_page(self._web, request, session, suite=suite, garde=sealed)
        if isinstance(problem, MembershipOver):
            return self._web.over(request, draft.typed)
        return self._later(request, draft, problem)

    def _later(self, request: Request, draft: Draft, problem: Problem) -> Response:
        """What was typed, to be seen, and a button that shows its form as soon as that is possible."""
        request.state.shown = None
        context = {"code": problem.code, "garde": self._drafts.seal(draft), "typed": draft.typed}
        response = self._web.page(request, "kept.html", problem.status, **context)
        if problem.retry_after_s is not None:
            response.headers["retry-after"] = str(problem.retry_after_s)
        return response

    def _form(self, action: str) -> KeptForm | None:
        return next((form for form in self._forms if form.action.fullmatch(action)), None)

    def _address(self, draft: Draft) -> str:
        form = self._form(draft.action)
        return (form.page if form else "") or draft.action


def keeper(request: Request) -> Keeper:
    """The one of this process."""
    found: Keeper = request.app.state.keeper
    return found


class KeptRoute(PageRoute):
    """A route whose errors are pages, and whose forms lose nothing of what was typed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI with every error turned into a page."""
        handle = APIRoute.get_route_handler(self)

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return await _failed(request, error)

        return handler


async def _failed(request: Request, error: Exception) -> Response:
    try:
        return await keeper(request).failed(request, error)
    except Exception as another:
        web: Web = request.app.state.web
        return web.failed(request, another)
