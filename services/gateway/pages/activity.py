"""Activité récente: what happened to the member's account, in the member's words."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages.web import Cursor, SignedIn, WebPages
from services.gateway.schemas.account import ActivityPage
from shared.errors import NotFound

HERE = "/compte/activite"
PAGE_SIZE = 20

router = APIRouter(include_in_schema=False)


@router.get(HERE)
async def activity(request: Request, web: WebPages, session: SignedIn, suite: Cursor = "") -> Response:
    """A page of the list, newest first; `suite`: the one that goes on there."""
    query = {"limit": str(PAGE_SIZE)} | ({"cursor": suite} if suite else {})
    answer = await web.sessions.call(request, session, "GET", "auth", "/activity", query=query)
    if not answer.ok:
        raise NotFound  # a cursor that was never ours
    page = ActivityPage.model_validate(answer.body)
    return web.page(request, "activity.html", page=page, first_page=not suite)
