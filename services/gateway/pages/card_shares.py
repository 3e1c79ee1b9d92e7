"""« Partager avec un professionnel »: the member's links to their card, and stopping them."""

import re
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.web import CheckedForm, Sender, SignedIn, Web, WebPages, see
from services.gateway.schemas.card import Shares
from services.gateway.web_session import WebSession
from shared import clock
from shared.errors import Malformed, NotFound
from shared.ids import new_id

HERE: Final = "/carte/partages"
_KEY: Final = re.compile(r"[0-9a-f-]{36}")

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("")
async def shares(request: Request, web: WebPages, session: SignedIn, fait: str = "") -> Response:
    """The links that are open. `fait`: what was just done."""
    return await _shares(web, request, session, done=fait)


async def show(web: Web, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The links after a button that could not be taken: which one it was is not done by itself."""
    return await _shares(web, request, session)


async def _shares(web: Web, request: Request, session: WebSession, *, done: str = "") -> Response:
    answer = await web.sessions.call(request, session, "GET", "claims", "/card/shares")
    found = Shares.model_validate(answer.body).items
    today = clock.day_in_france(clock.now())
    return web.page(request, "card_shares.html", shares=found, done=done, today=today, once=new_id())


@router.post("")
async def create(request: Request, web: WebPages, session: Sender, once: Annotated[str, Form()] = "") -> Response:
    """Make a link. `once` is the form's own key: pressing the button twice makes one."""
    key = once if _KEY.fullmatch(once) else new_id()
    answer = await web.sessions.call(request, session, "POST", "claims", "/card/shares", idempotency_key=key)
    if answer.code == "too_many_shares":
        return see(f"{HERE}?fait=trop")
    if answer.code == "no_card":
        return see("/carte")
    if not answer.ok:
        raise Malformed
    return see(f"{HERE}?fait=lien")


@router.post("/arreter")
async def stop(request: Request, web: WebPages, session: SignedIn, share_id: Annotated[UUID, Form()]) -> Response:
    """Stop one; that it is over already is as good."""
    answer = await web.sessions.call(request, session, "DELETE", "claims", f"/card/shares/{share_id}")
    if not answer.ok and answer.status != NotFound.status:
        raise Malformed
    return see(f"{HERE}?fait=arrete")
