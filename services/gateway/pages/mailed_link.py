"""The page behind a mailed link: opening it shows a button (scanners open every link), pressing that acts, once."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Form, Request
from starlette.responses import Response

from services.gateway.pages.web import Web
from services.gateway.upstream import Answer
from shared.errors import Conflict, Gone

LinkToken = Annotated[str, Form(max_length=512)]

_STATUS: Final[Mapping[str, int]] = {
    "link_used": Conflict.status,
    "identifier_taken": Conflict.status,
    "link_expired": Gone.status,
}


def button(web: Web, request: Request, template: str, token: str) -> Response:
    """The button; nothing happens to the account. An address without its token is as good as an old one."""
    if not token:
        return _over(web, request, template, "link_expired")
    return web.page(request, template, token=token[:512], refused="")


def refused(web: Web, request: Request, template: str, answer: Answer) -> Response:
    """Why the button did nothing: `link_used`, `identifier_taken` or, for all else, `link_expired`."""
    return _over(web, request, template, answer.code if answer.code in _STATUS else "link_expired")


def _over(web: Web, request: Request, template: str, code: str) -> Response:
    return web.page(request, template, _STATUS[code], token="", refused=code)
