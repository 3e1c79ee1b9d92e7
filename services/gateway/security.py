"""Headers that every answer of the gateway carries, the cookies its handler asked for, and the limit of forms."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.cookies import queued
from shared.app import API_PREFIX, BodyLimit

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_HSTS: Final = "max-age=63072000; includeSubDomains"


class SecurityHeaders:
    """Sets the headers; answers are personal (`no-store`) unless their handler said otherwise."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._always = {**_ALWAYS, "strict-transport-security": _HSTS} if secure else dict(_ALWAYS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._always)
                headers.setdefault("cache-control", "no-store")
                for cookie in queued(scope):
                    headers.append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, answer if scope["type"] == "http" else send)


class FormLimit:
    """Bounds the bodies of everything but the API and `own_limits`, paths of pages, which bound theirs themselves."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, own_limits: Collection[str] = ()) -> None:
        self._app, self._limited, self._own_limits = app, BodyLimit(app, max_bytes), own_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        bounds_itself = path.startswith(f"{API_PREFIX}/") or path in self._own_limits
        await (self._app if bounds_itself else self._limited)(scope, receive, send)
