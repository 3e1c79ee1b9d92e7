"""What every page is made with: templates, words, static files, and what happens when something goes wrong."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote, urlsplit

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from services.gateway import compression
from services.gateway.assets import Assets
from services.gateway.cookies import Cookies
from services.gateway.csrf import Csrf
from services.gateway.pages import words
from services.gateway.pages.reimbursement_filters import FilterTokens
from services.gateway.pages.templating import environment_of
from services.gateway.pages.words import Language
from services.gateway.passphrases import Passphrases
from services.gateway.session import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.web_session import WebSession
from shared import tracing
from shared.errors import Malformed, MembershipOver, Problem, RequiredAction, StepUpRequired, Unauthenticated
from shared.logs import get_logger

CONFIRM: Final = "/compte/confirmer"
"""Where the password is asked again."""
CODE: Final = "/connexion/code"
"""Where a second factor is asked for, after the password."""
FIRST_STEPS: Final = "/premiere-connexion"
"""Where everything else is done that an account asks for first."""
LONGEST_PATH: Final = 5_000
"""Of a page to come back to, in characters; a filtered list has the longest."""

log = get_logger(__name__)


class Web:
    """Renders pages."""

    def __init__(
        self,
        settings: GatewaySettings,
        assets: Assets,
        sessions: Sessions,
        csrf: Csrf,
        cookies: Cookies,
        *,
        passphrases: Passphrases,
        filters: FilterTokens,
    ) -> None:
        self.sessions, self.csrf, self.cookies, self.passphrases = sessions, csrf, cookies, passphrases
        self.filters = filters
        self._translations = {language: words.translations(language) for language in words.NAMES}
        self._environments = {
            language: environment_of(settings, assets, language, translations)
            for language, translations in self._translations.items()
        }
        for environment in self._environments.values():
            environment.globals["passphrase"] = passphrases.draw

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """The page `template` (a file beside its module) as an answer to `request`."""
        session = self.sessions.noted(request)
        shown = getattr(request.state, "shown", None)  # a form shown again, at another address than its own
        language = self._language(request)
        text = (
            self._environments[language]
            .get_template(template)
            .render(
                path=shown.address if shown else request.url.path,
                same_page=partial(_same_page, request),
                language=language,
                shown=shown,
                idle=self.sessions.idle,
                session_left_s=self.sessions.left_s(session) if session else None,
                for_a_stranger=getattr(request.state, "for_a_stranger", False),
                signed_in=session is not None,
                member_in=session is not None and not session.required_actions,
                ended=session.ended_membership if session else None,
                csrf_token=lambda: self.csrf.token(request, session.member if session else None),
                request_id=tracing.current_request_id.get(),
                **context,
            )
        )
        return _html(request, text.encode(), status, language)

    def says(self, request: Request) -> Callable[[str], str]:
        """Any text of the catalogue in the reader's language."""
        return self._translations[self._language(request)].gettext

    def _language(self, request: Request) -> Language:
        accepted = ",".join(request.headers.getlist("accept-language"))
        return words.chosen(self.cookies.get(request, words.COOKIE), accepted)

    def failed(self, request: Request, error: Exception) -> Response:
        """The page for an error: sign-in, the step that is due, the password again, or what happened and what to do."""
        match error:
            case Unauthenticated():
                return _elsewhere(request, f"/?suite={quote(_wanted(request), safe='')}")
            case RequiredAction():
                return _elsewhere(request, due_step(self.sessions.peek(request), _wanted(request)))
            case StepUpRequired():
                return _elsewhere(request, f"{CONFIRM}?suite={quote(_wanted(request), safe='')}")
            case MembershipOver():
                return self.over(request)
        problem = _problem(error)
        if problem.status == 500:
            log.error("page_failed", exc_info=error, request_id=tracing.current_request_id.get())
        return self._error(request, problem)

    def over(self, request: Request, typed: Mapping[str, str] | None = None) -> Response:
        """That the membership is over, instead of a form, with what was `typed` in it."""
        request.state.shown = None
        return self.page(request, "membership_over.html", MembershipOver.status, typed=typed or {})

    def _error(self, request: Request, problem: Problem) -> Response:
        response = self.page(request, "error.html", problem.status, code=problem.code)
        if problem.retry_after_s is not None:
            response.headers["retry-after"] = str(problem.retry_after_s)
        return response


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI with every error turned into a page."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return _web(request).failed(request, error)

        return handler


def _html(request: Request, content: bytes, status: int, language: Language) -> HTMLResponse:
    headers = {"content-language": language, "vary": "accept-encoding, accept-language, cookie"}
    if len(content) < compression.SMALLEST or not compression.accepted(request):
        return HTMLResponse(content, status, headers)
    return HTMLResponse(compression.page(content), status, {**headers, "content-encoding": "gzip"})


def _problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case HTTPException() if isinstance(error.__cause__, Problem):  # FastAPI wraps what reading the body raised
            return error.__cause__
        case HTTPException() | RequestValidationError():
            return Malformed()
    return Problem()


def see(path: str) -> RedirectResponse:
    """Go and look there (303): after a form was taken, so that going back or reloading never sends it twice."""
    return RedirectResponse(path, 303)


def due_step(session: WebSession | None, suite: str) -> str:
    """The page of the step that is due. `suite`: where to go after a code."""
    if session is None or not session.is_half:
        return FIRST_STEPS
    return f"{CODE}?suite={quote(suite, safe='')}"


def local_path(text: str, default: str) -> str:
    """`text` if it is a path of this portal, else `default`: nobody is sent elsewhere after signing in."""
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") and not parts.netloc else default


def _wanted(request: Request) -> str:
    """The page to come back to after signing in: the one asked for, or the one that asked for a part."""
    if "hx-request" in request.headers:
        shown = urlsplit(request.headers.get("hx-current-url", ""))
        return local_path(shown._replace(scheme="", netloc="", fragment="").geturl(), "/")
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _elsewhere(request: Request, path: str) -> Response:
    if "hx-request" in request.headers:  # htmx would follow a 303 and put the sign-in page where the part belongs
        return Response(status_code=204, headers={"hx-redirect": path})
    return see(path)


def _same_page(request: Request) -> str:
    """Where a reader finds the page that answers `request` again; after a form, the page that it stands on."""
    if shown := getattr(request.state, "shown", None):
        return str(shown.address)
    path: str = request.scope["raw_path"].decode("latin-1")
    if request.method in {"GET", "HEAD"}:
        return path + (f"?{request.url.query}" if request.url.query else "")
    while path and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return path or "/"


def _is_page(request: Request, path: str) -> bool:
    scope = {**request.scope, "method": "GET", "path": unquote(path)}
    *known, _not_found = request.app.routes  # the last one takes every path
    return any(route.matches(scope)[0] is Match.FULL for route in known)


def _web(request: Request) -> Web:
    web: Web = request.app.state.web
    return web


async def _its_web(request: Request) -> Web:
    return _web(request)


async def _checked_form(request: Request) -> None:
    web = _web(request)
    session = web.sessions.peek(request)
    await web.csrf.check(request, session.member if session else None)


async def _as_to_a_stranger(request: Request) -> None:
    request.state.for_a_stranger = True
    _web(request).sessions.ignore(request)


async def _session(request: Request) -> WebSession:
    return await _web(request).sessions.current(request)


def still_sends(session: WebSession) -> WebSession:
    """Raises `MembershipOver` for a session with which the services take nothing."""
    if session.ended_membership:
        raise MembershipOver
    return session


async def _sender(request: Request) -> WebSession:
    return still_sends(await _session(request))


WebPages = Annotated[Web, Depends(_its_web)]
CheckedForm = Depends(_checked_form)
"""On every page router: no POST is taken that did not come from one of our pages."""
ForAStranger = Depends(_as_to_a_stranger)
"""On a router whose pages are the same for whoever opens them: no session, no cookie, errors included."""
SignedIn = Annotated[WebSession, Depends(_session)]
"""The reader's session; without one the sign-in page is shown, and this page after it."""
Sender = Annotated[WebSession, Depends(_sender)]
"""The same, on forms that send the insurer something: instead of them, and in answer to them, the end is said."""
Cursor = Annotated[str, Query(max_length=500)]
"""Where a list goes on, as its service said it."""
Year = Annotated[str, Query(pattern="^([0-9]{4})?$")]
"""As it stands in an address; empty: the page chooses."""
