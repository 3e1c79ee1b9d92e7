"""Accueil, signed in: the latest of each. A service that is away leaves its part out, never the page."""

import asyncio
from collections.abc import Awaitable, Collection
from datetime import date
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages.home import AFTER_SIGN_IN
from services.gateway.pages.web import CheckedForm, PageRoute, SignedIn, WebPages
from services.gateway.schemas.account import Account
from services.gateway.schemas.card import Card
from services.gateway.schemas.documents import Document, DocumentPage
from services.gateway.schemas.messages import ThreadPage
from services.gateway.schemas.reimbursements import ReimbursementPage, Summary
from services.gateway.schemas.wire import Wire
from services.gateway.upstream import Answer
from services.gateway.vector import vector_now
from shared.errors import Unavailable

SHOWN = 3
"""How many of each are shown."""
LATEST = {"limit": str(SHOWN)}
RECENT = {"limit": "20"}
"""Documents among which those under way, or refused, are looked for."""

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

W = TypeVar("W", bound=Wire)


@router.get(AFTER_SIGN_IN)
async def overview(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Each part is asked of its service side by side; `None` is a part that cannot be shown now."""
    after = vector_now()
    ask = partial(web.sessions.call, request, session, "GET")
    account, reimbursements, summary, card, documents, threads = await asyncio.gather(
        _part(ask("auth", "/account"), Account),
        _part(ask("claims", "/reimbursements", query=LATEST), ReimbursementPage),
        _part(ask("claims", "/reimbursements/summary"), Summary),
        _part(ask("claims", "/card"), Card),
        _part(ask("documents", "/documents", query=RECENT), DocumentPage),
        _part(ask("notifications", "/messages", query=LATEST), ThreadPage),
    )
    return web.page(
        request,
        "overview.html",
        account=account,
        reimbursements=reimbursements,
        summary=summary,
        summary_months=_months(summary),
        card=card,
        documents=documents,
        in_progress=_with_status(documents, {"received", "submitted"}),
        to_send_again=[] if session.ended_membership else _with_status(documents, {"refused"}),
        threads=threads,
        waiting=[thread for thread in threads.items if thread.unread] if threads else [],
        after=after,
    )


def _months(summary: Summary | None) -> list[tuple[date, int]]:
    """(first day, cents reimbursed) of each month, for the chart."""
    return [(date(summary.year, one.month, 1), one.reimbursed_cents) for one in summary.months] if summary else []


def _with_status(page: DocumentPage | None, statuses: Collection[str]) -> list[Document]:
    """The latest few documents in one of these statuses."""
    return [document for document in page.items if document.status in statuses][:SHOWN] if page else []


async def _part(asked: Awaitable[Answer], schema: type[W]) -> W | None:
    try:
        answer = await asked
    except Unavailable:
        return None
    return schema.model_validate(answer.body) if answer.ok else None
