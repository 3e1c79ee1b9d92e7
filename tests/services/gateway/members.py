"""Browsers of members as the gateway sees them: cookies and forms sealed by its own key, with any age."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from shared.sealing import Keyring
from tests.services.gateway.running import Gateway

KEYS = f"gateway/1:{secrets.token_urlsafe(32)}"
KEYRING = Keyring.from_setting(KEYS)
LAURE, PAUL = "00000012", "00000034"


def token(member: str, lives_s: int = 300) -> str:
    """An access token by its form: the gateway reads it unverified."""
    claims = json.dumps({"sub": member, "exp": int(time.time()) + lives_s}).encode()
    return f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


def pair(member: str, *actions: str) -> bytes:
    """auth's answer to a sign-in and to a refresh."""
    opened = {"access_token": token(member), "refresh_token": "next", "expires_in": 300, "required_actions": actions}
    return json.dumps(opened).encode()


@dataclass
class Answered:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    cookies: SimpleCookie
    page: str

    def hidden(self, name: str) -> str:
        """The value of a hidden field, empty if the page has none."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return unescape(found[1]) if found else ""

    def text(self, name: str = "text") -> str:
        """What a text area holds, as the browser would show it."""
        found = re.search(rf'<textarea id="{name}"[^>]*>\n?(.*?)</textarea>', self.page, re.DOTALL)
        return unescape(found[1]) if found else ""


@dataclass
class Browser:
    """One browser. `seen_s`: how long ago its session's last activity was noted; `member` none: signed out."""

    gateway: Gateway
    member: str | None = LAURE
    seen_s: float = 0
    trusted: bool = False
    token_lives_s: int = 300
    actions: tuple[str, ...] = ()
    cookies: dict[str, str] = field(default_factory=lambda: {"csrf": secrets.token_urlsafe(32)})

    def __post_init__(self) -> None:
        if self.member:
            self.hold({"seen_at": time.time() - self.seen_s, "trusted": self.trusted})

    def hold(self, more: dict[str, object]) -> None:
        """Have the session's cookie, with `more` in it than any release has put there."""
        assert self.member
        session = {
            "access_token": token(self.member, self.token_lives_s),
            "refresh_token": "refresh",
            "expires_at": int(time.time()) + self.token_lives_s,
            "required_actions": self.actions,
            **more,
        }
        self.cookies["session"] = KEYRING.seal_at_rest(json.dumps(session), context="session")

    def form_token(self, opened_by: str | None) -> str:
        """What a form carries that `opened_by` opened in this browser."""
        return KEYRING.seal_at_rest(json.dumps([self.cookies.get("csrf", ""), opened_by]), context="csrf")

    async def get(self, path: str, *headers: str) -> Answered:
        """Ask for a page."""
        return await self._send(f"GET {path} HTTP/1.1", *headers)

    async def post(self, path: str, fields: dict[str, str], *headers: str, opened_by: str | None = LAURE) -> Answered:
        """Send a form that `opened_by` opened; `csrf` in `fields` wins."""
        body = urlencode({"csrf": self.form_token(opened_by), **fields}).encode()
        kind = "Content-Type: application/x-www-form-urlencoded"
        return await self._send(f"POST {path} HTTP/1.1", kind, *headers, body=body)

    async def send(self, path: str, body: bytes) -> Answered:
        """Send a form with a file; the boundary is `xx`."""
        return await self._send(f"POST {path} HTTP/1.1", "Content-Type: multipart/form-data; boundary=xx", body=body)

    async def _send(self, first: str, *headers: str, body: bytes = b"") -> Answered:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [first, "Host: portal", f"Cookie: {cookie}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        status, pairs, page = await self.gateway.raw("\n".join(lines), body)
        set_now = SimpleCookie()
        for name, value in pairs:
            if name == "set-cookie":
                set_now.load(value)
        self._take(set_now)
        return Answered(status, dict(pairs), set_now, page.decode())

    def _take(self, set_now: SimpleCookie) -> None:
        for name, morsel in set_now.items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
