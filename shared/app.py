"""HTTP basics that every service has: health, metrics, request ids, errors as problem+json, a graceful stop."""

import gc
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import tracing
from shared.conflicts import passes
from shared.errors import FieldError, Invalid, Malformed, MethodNotAllowed, NotFound, Problem, TooLarge, Unavailable
from shared.logs import get_logger
from shared.parts import Lifecycle, Part
from shared.settings import ServiceSettings

API_PREFIX = "/api/v1"
"""Where the public API begins, at the gateway and at each service alike."""
PROBLEM_JSON = "application/problem+json"
GC_AFTER_OBJECTS = 20_000
"""New ones before Python looks for garbage: one page makes more than its 700, and a tenth of all time went there."""

REQUESTS = Counter("espace_http_requests_total", "HTTP requests answered.", ["method", "route", "status"])
DURATION = Histogram("espace_http_request_seconds", "Time to the first byte of the answer.", ["route"])

log = get_logger(__name__)


def create_app(
    service: str,
    *,
    parts: Sequence[Part],
    routers: Sequence[APIRouter] = (),
    max_body_bytes: int | None = 1_048_576,
    metrics_here: bool = True,
) -> FastAPI:
    """The HTTP side of a service. `metrics_here=False` keeps `/metrics` off this port (the gateway's is public).

    `max_body_bytes=None` leaves the limit to the routes (the gateway has one per route).
    """
    lifecycle = Lifecycle(parts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        lifecycle.begin()
        yield
        await lifecycle.end()

    app = FastAPI(
        title=f"Espace Assuré: {service}", lifespan=lifespan, openapi_url=None
    )  # documented in docs/openapi.json
    app.state.drain = lifecycle.drain
    app.include_router(_health(lifecycle))
    if metrics_here:
        app.include_router(metrics_router())
    for router in routers:
        app.include_router(router)
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
    if max_body_bytes is not None:
        app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(Observation)
    return app


def serve(app: ASGIApp, settings: ServiceSettings, *, port: int | None = None, to_strangers: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way within `http_drain_seconds`: status 0.

    `to_strangers`: requests are read by h11, which takes longer, bounds their headers and refuses what is ambiguous;
    where only the gateway asks, which writes each request anew, httptools does.
    """
    for asked_to_stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked_to_stop, _leave)  # uvicorn raises the signal again once it has stopped
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=port or settings.http_port,
        backlog=settings.http_backlog_connections,
        limit_concurrency=settings.http_max_connections,
        timeout_graceful_shutdown=settings.http_drain_seconds,
        loop="uvloop",
        http="h11" if to_strangers else "httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    server = _Server(config, drain=getattr(getattr(app, "state", None), "drain", lambda: None))
    # All modules are there by now and stay: to look through them for garbage takes 70 ms, in which nobody is answered.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_AFTER_OBJECTS)
    server.run()
    if not server.started:
        raise SystemExit(1)  # it could not listen, and has logged why


class _Server(uvicorn.Server):
    """uvicorn, which says when it is asked to stop: it waits for open answers before the parts are stopped."""

    def __init__(self, config: uvicorn.Config, *, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._drain()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _health(lifecycle: Lifecycle) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        status, parts = await lifecycle.report()
        return JSONResponse({"status": status, "parts": parts}, status_code=503 if status == "down" else 200)

    return router


def metrics_router() -> APIRouter:
    """`/metrics` of this process, for a port that strangers cannot reach."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def problem_response(problem: Problem) -> JSONResponse:
    """`problem` as RFC 9457 JSON with our `code`, `request_id` and, for validation, `errors`."""
    body: dict[str, Any] = {
        "type": "about:blank" if problem.status >= 500 else f"urn:espace-assure:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": tracing.current_request_id.get(),
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = [{"field": e.field, "code": e.code, "detail": e.detail} for e in problem.errors]
    headers = {"cache-control": "no-store"}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, problem.status, headers, media_type=PROBLEM_JSON)


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for Problem alone
    return problem_response(error)


async def _on_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    fields = [
        FieldError(".".join(str(p) for p in e["loc"][1:]) or str(e["loc"][0]), e["type"], e["msg"])
        for e in error.errors()
    ]
    return problem_response(Invalid(errors=fields))


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    if isinstance(error.__cause__, Problem):  # FastAPI wraps whatever reading the body raised
        return problem_response(error.__cause__)
    return problem_response(_BY_STATUS.get(error.status_code, Problem)())


async def _on_database(_request: Request, error: Exception) -> Response:
    if passes(error):
        log.warning("database_away", error=type(error).__name__)
        return problem_response(Unavailable())
    log.error("database_refused", exc_info=error)
    return problem_response(Problem())


_BY_STATUS: Mapping[int, type[Problem]] = {400: Malformed, 404: NotFound, 405: MethodNotAllowed}

_HANDLERS: Mapping[type[Exception], Any] = {
    Problem: _on_problem,
    RequestValidationError: _on_validation,
    HTTPException: _on_http,
    PyMongoError: _on_database,
}


class Observation:
    """Gives each request its id and trace, counts it, and hands the id back in `X-Request-Id`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        request_id, _ = tracing.begin(headers.get(b"x-request-id"), headers.get(b"traceparent"))
        started = time.perf_counter()

        answering = False

        async def answer(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
                route = getattr(scope.get("route"), "path", "none")
                REQUESTS.labels(scope["method"], route, message["status"]).inc()
                DURATION.labels(route).observe(time.perf_counter() - started)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            log.exception("request_failed", request_id=request_id)
            if answering:
                raise  # the connection is broken off, so that nobody takes half an answer for a whole one
            await problem_response(Problem())(scope, receive, answer)


class BodyLimit:
    """Counts the body while it streams in and refuses it with 413 past the limit, whatever its headers say."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise TooLarge(extra={"limit_bytes": self._max_bytes})
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
