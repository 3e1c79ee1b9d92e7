"""Accueil, signed in: the latest of each. A service that is away leaves its part out, never the page."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages.home import AFTER_SIGN_IN
from services.gateway.pages.web import CheckedForm, PageRoute, SignedIn, WebPages
from services.gateway.schemas.account import Account
from services.gateway.schemas.documents import DocumentPage
from services.gateway.schemas.messages import ThreadPage
from services.gateway.schemas.reimbursements import ReimbursementPage
from services.gateway.schemas.wire import Wire
from services.gateway.upstream import Answer
from services.gateway.vector import vector_now
from shared.errors import Unavailable

LATEST = {"limit": "3"}
"""How many of each are shown."""

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

W = TypeVar("W", bound=Wire)


@router.get(AFTER_SIGN_IN)
async def overview(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Each part is asked of its service side by side; `None` is a part that cannot be shown now."""
    after = vector_now()
    ask = partial(web.sessions.call, request, session, "GET")
    account, reimbursements, documents, threads = await asyncio.gather(
        _part(ask("auth", "/account"), Account),
        _part(ask("claims", "/reimbursements", query=LATEST), ReimbursementPage),
        _part(ask("documents", "/documents", query=LATEST), DocumentPage),
        _part(ask("notifications", "/messages", query=LATEST), ThreadPage),
    )
    return web.page(
        request,
        "overview.html",
        account=account,
        reimbursements=reimbursements,
        documents=documents,
        threads=threads,
        waiting=[thread for thread in threads.items if thread.unread] if threads else [],
        after=after,
    )


async def _part(asked: Awaitable[Answer], schema: type[W]) -> W | None:
    try:
        answer = await asked
    except Unavailable:
        return None
    return schema.model_validate(answer.body) if answer.ok else None
