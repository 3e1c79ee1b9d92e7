"""What every page is made with: templates, words, static files, and what happens when something goes wrong."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.gateway import assets
from services.gateway.cookies import Cookies
from services.gateway.csrf import Csrf
from services.gateway.pages import formats
from services.gateway.session import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.web_session import WebSession
from shared import tracing
from shared.errors import Malformed, Problem, RequiredAction, Unauthenticated
from shared.logs import get_logger

HERE: Final = Path(__file__).parent

log = get_logger(__name__)


class Web:
    """Renders pages."""

    def __init__(self, settings: GatewaySettings, sessions: Sessions, csrf: Csrf, cookies: Cookies) -> None:
        self.sessions, self.csrf, self.cookies = sessions, csrf, cookies
        self._environment = _environment(settings)

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """The page `template` (a file beside its module) as an answer to `request`."""
        session = self.sessions.noted(request)
        shown = getattr(request.state, "shown", None)  # a form shown again, at another address than its own
        text = self._environment.get_template(template).render(
            path=shown.address if shown else request.url.path,
            shown=shown,
            idle=self.sessions.idle,
            session_left_s=self.sessions.left_s(session) if session else None,
            signed_in=session is not None,
            member_in=session is not None and not session.required_actions,
            csrf_token=lambda: self.csrf.token(request, session.member if session else None),
            request_id=tracing.current_request_id.get(),
            **context,
        )
        return HTMLResponse(text, status)

    def failed(self, request: Request, error: Exception) -> Response:
        """The page for an error: sign-in, the step that is due, or what happened and what to do."""
        match error:
            case Unauthenticated():
                return _elsewhere(request, f"/?suite={quote(_wanted(request), safe='')}")
            case RequiredAction():
                return _elsewhere(request, "/premiere-connexion")
        problem = _problem(error)
        if problem.status == 500:
            log.error("page_failed", exc_info=error, request_id=tracing.current_request_id.get())
        return self._error(request, problem)

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


def local_path(text: str, default: str) -> str:
    """`text` if it is a path of this portal, else `default`: nobody is sent elsewhere after signing in."""
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") and not parts.netloc else default


def _wanted(request: Request) -> str:
    """The page to come back to after signing in: the one asked for, or the one that asked for a part."""
    if "hx-request" in request.headers:
        return local_path(urlsplit(request.headers.get("hx-current-url", "")).path, "/")
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _elsewhere(request: Request, path: str) -> Response:
    if "hx-request" in request.headers:  # htmx would follow a 303 and put the sign-in page where the part belongs
        return Response(status_code=204, headers={"hx-redirect": path})
    return see(path)


def _environment(settings: GatewaySettings) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # French is the source of the catalogue: without a translation a text is shown as it stands in the template.
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # of the i18n extension
    environment.globals.update(
        brand=settings.brand_name,
        centre={
            "name": settings.centre_name,
            "phone": settings.centre_phone,
            "phone_link": formats.phone_link(settings.centre_phone),
            "address": settings.centre_address,
        },
        spaces=settings.spaces,
        static=assets.url,
    )
    environment.filters.update(
        amount=formats.amount,
        long_day=formats.long_day,
        short_day=formats.short_day,
        month=formats.month,
        clock=formats.clock,
        size=formats.size,
        day=formats.day_in_paris,
        nir_groups=formats.nir_groups,
        path_segment=lambda text: quote(text, safe=""),
    )
    return environment


def _web(request: Request) -> Web:
    web: Web = request.app.state.web
    return web


async def _checked_form(request: Request) -> None:
    web = _web(request)
    session = web.sessions.peek(request)
    await web.csrf.check(request, session.member if session else None)


async def _session(request: Request) -> WebSession:
    return await _web(request).sessions.current(request)


WebPages = Annotated[Web, Depends(_web)]
CheckedForm = Depends(_checked_form)
"""On every page router: no POST is taken that did not come from one of our pages."""
SignedIn = Annotated[WebSession, Depends(_session)]
"""The reader's session; without one the sign-in page is shown, and this page after it."""
