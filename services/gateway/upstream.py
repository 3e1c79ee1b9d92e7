"""The one HTTP client to the services: bounded, without proxies or redirects, silent about what it carries."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import JSONDecodeError, TransportError
from pyreqwest.request import RequestBuilder
from pyreqwest.response import Response

from services.gateway.routes import STREAMS
from services.gateway.settings import GatewaySettings
from shared import tracing
from shared.app import API_PREFIX
from shared.clock import now
from shared.errors import Unavailable
from shared.logs import get_logger

log = get_logger(__name__)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A service's JSON answer. `body` is empty for 204 and for anything that is not a JSON object."""

    status: int
    body: Json
    retry_after_s: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the service did what it was asked."""
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def code(self) -> str:
        """The problem's stable code, empty when there is none."""
        return str(self.body.get("code", ""))

    @property
    def retry_at(self) -> datetime | None:
        """From when on asking again makes sense, if the service said so."""
        return now() + timedelta(seconds=self.retry_after_s) if self.retry_after_s else None


class Upstreams:
    """Requests to the services, by service name. A service that cannot be reached is `Unavailable`, nothing else."""

    name = "services"
    required = True

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._live: Client | None = None
        self._files: Client | None = None

    async def start(self) -> None:
        """Build the clients; the services themselves may still be down, that is theirs to say."""
        settings = self._settings
        self._client = self._build(settings.upstream_max_connections, settings.upstream_read_seconds)
        self._live = self._build(settings.stream_max_open * len(STREAMS), settings.upstream_read_seconds)
        # The time until an answer begins counts as reading, and it begins when the file has been sent.
        self._files = self._build(settings.upstream_max_files, settings.upstream_file_seconds)

    def _build(self, max_connections: int, read_s: float) -> Client:
        settings = self._settings
        return (
            ClientBuilder()
            .max_connections(max_connections)
            .pool_timeout(timedelta(seconds=settings.upstream_pool_seconds))
            .connect_timeout(timedelta(seconds=settings.upstream_connect_seconds))
            .read_timeout(timedelta(seconds=read_s))
            # Shorter than uvicorn's keep-alive of 5 s: never write into a connection the service is closing.
            .pool_idle_timeout(timedelta(seconds=4))
            .no_proxy()
            .follow_redirects(False)
            .referer(False)
            .gzip(False)
            .brotli(False)
            .zstd(False)
            .deflate(False)
            .build()
        )

    async def stop(self) -> None:
        """Close every connection."""
        for client in (self._client, self._live, self._files):
            if client:
                await client.close()
        self._client = self._live = self._files = None

    async def state(self) -> str:
        """Always well once built: whether a service answers is learnt from its answers."""
        return "ok" if self._client else "not started"

    def request(self, method: str, service: str, path: str, *, file: bool = False) -> RequestBuilder:
        """A request to `service`, at a path of its own, carrying the request id and trace of the one served.

        `file`: its body is a file, which may take long.
        """
        return self._traced(self._files if file else self._client, method, service, path)

    def on_behalf(
        self, method: str, service: str, path: str, *, client_address: str, token: str | None, file: bool = False
    ) -> RequestBuilder:
        """The same, at a path of the API, for a page's reader."""
        request = self.request(method, service, API_PREFIX + path, file=file).header("x-forwarded-for", client_address)
        return request.header("authorization", f"Bearer {token}", is_sensitive=True) if token else request

    def stream(self, service: str, path: str) -> RequestBuilder:
        """A request for a live stream: it has its own connections, and its answer is there with the first byte."""
        # pyreqwest otherwise waits for 64 KiB of the body before it hands over the status.
        return self._traced(self._live, "GET", service, API_PREFIX + path).streamed_read_buffer_limit(0)

    def _traced(self, client: Client | None, method: str, service: str, path: str) -> RequestBuilder:
        if client is None:
            raise Unavailable
        request = client.request(method, f"{self._settings.services[service]}{path}")
        for header, value in (
            (tracing.REQUEST_ID_HEADER, tracing.current_request_id.get()),
            (tracing.TRACEPARENT_HEADER, tracing.current_traceparent.get()),
        ):
            if value:
                request = request.header(header, value)
        return request

    async def call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        client_address: str,
        token: str | None = None,
        body: Json | None = None,
        query: dict[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """One JSON request on behalf of a page's reader. Raises `Unavailable` (also for a service's own 5xx)."""
        request = self.on_behalf(method, service, path, client_address=client_address, token=token)
        if idempotency_key:
            request = request.header("idempotency-key", idempotency_key)
        if query:
            request = request.query(query)
        if body is not None:
            request = request.body_json(body)
        try:
            return await self.answer(service, request)
        except TransportError as error:
            raise away(service, error) from None

    async def answer(self, service: str, request: RequestBuilder) -> Answer:
        """The answer to `request`. Raises `Unavailable` for a service's own 5xx; TransportError passes."""
        response = await request.build().send()
        answer = Answer(response.status, await _json(response), _seconds(response.get_header("retry-after")))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("service_failed", to=service, status=answer.status)
            raise Unavailable(retry_after_s=answer.retry_after_s or 5)
        return answer


async def next_piece(answer: Response) -> bytes | None:
    """What comes next of the answer's body, None at its end. Raises TransportError."""
    end_if_cancelled()
    piece = await answer.body_reader.read_chunk()
    end_if_cancelled()
    return None if piece is None else bytes(piece)


def end_if_cancelled() -> None:
    """Raise CancelledError in a task that was asked to end.

    pyreqwest (0.15) polls what it waits for and the cancellation in turn, by chance: it gives what has come in the
    place of being cancelled, and a task that reads on would never end.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def away(service: str, error: Exception) -> Unavailable:
    """What a reader is told when `service` cannot be reached; the log says which and why."""
    log.warning("service_away", to=service, error=type(error).__name__)
    return Unavailable()


async def _json(response: Any) -> Json:
    try:
        body = await response.json()
    except JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
