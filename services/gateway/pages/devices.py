"""Mes appareils: where the member is signed in, and signing out there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.web import CheckedForm, SignedIn, Web, WebPages, see
from services.gateway.schemas.account import OpenSessions
from services.gateway.web_session import WebSession
from shared import clock
from shared.errors import Malformed, NotFound

HERE = "/compte/appareils"

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("")
async def devices(request: Request, web: WebPages, session: SignedIn, fait: str = "") -> Response:
    """The list as it is now. `fait`: what was just done."""
    return await _devices(web, request, session, done=fait)


async def show(web: Web, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The list after a button that could not be taken: which one it was is not done by itself."""
    return await _devices(web, request, session)


async def _devices(web: Web, request: Request, session: WebSession, *, done: str = "") -> Response:
    answer = await web.sessions.call(request, session, "GET", "auth", "/sessions")
    opened = OpenSessions.model_validate(answer.body).items
    today = clock.day_in_france(clock.now())
    here = [each for each in opened if each.current]
    others = [each for each in opened if not each.current]
    return web.page(request, "devices.html", here=here, others=others, done=done, today=today)


@router.post("/fermer")
async def close(request: Request, web: WebPages, session: SignedIn, session_id: Annotated[UUID, Form()]) -> Response:
    """Sign one out."""
    answer = await web.sessions.call(request, session, "DELETE", "auth", f"/sessions/{session_id}")
    if answer.status == NotFound.status:
        return see(f"{HERE}?fait=deja")
    if not answer.ok:
        raise Malformed
    return see(f"{HERE}?fait=un")


@router.post("/fermer-les-autres")
async def close_others(request: Request, web: WebPages, session: SignedIn) -> Response:
    """Sign all out but this one."""
    answer = await web.sessions.call(request, session, "DELETE", "auth", "/sessions")
    if not answer.ok:
        raise Malformed
    return see(f"{HERE}?fait=autres")
