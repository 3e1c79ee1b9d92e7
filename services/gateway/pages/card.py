"""Ma carte: the third-party-payment card on screen, on a telephone's whole screen, and on one sheet of paper."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.pages.web import CheckedForm, PageRoute, SignedIn, Web, WebPages
from services.gateway.schemas.card import Card, NoCard
from services.gateway.web_session import WebSession
from shared.errors import NotFound

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)

Day = Annotated[date | None, Query()]


@router.get("/carte")
async def card(request: Request, web: WebPages, session: SignedIn, le: Day = None) -> Response:
    """The card in force, or the one of the day `le`."""
    return await _card(web, request, session, "card.html", le)


@router.get("/carte/plein-ecran")
async def full_screen(request: Request, web: WebPages, session: SignedIn, le: Day = None) -> Response:
    """The same and nothing else, to be shown on a telephone held across."""
    return await _card(web, request, session, "card_full.html", le)


async def _card(web: Web, request: Request, session: WebSession, template: str, day: date | None) -> Response:
    query = {"on": day.isoformat()} if day else None
    answer = await web.sessions.call(request, session, "GET", "claims", "/card", query=query)
    if answer.ok:
        return web.page(request, template, card=Card.model_validate(answer.body), day=day)
    if answer.code != "no_card":
        raise NotFound
    return web.page(request, "card_none.html", why=NoCard.model_validate(answer.body), day=day)


@router.get("/carte.pdf")
async def card_pdf(request: Request, web: WebPages, session: SignedIn, le: Day = None) -> Response:
    """The same as a file."""
    path = "/card.pdf" + (f"?on={le.isoformat()}" if le else "")
    return await web.sessions.download(request, session, "claims", path)
