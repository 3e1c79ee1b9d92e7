"""A shared card, for whoever has its link: no sign-in, no cookie, nothing that says who looked.

Messengers and mail scanners open links to preview them. So opening this one shows a button and nothing of the member;
the button shows the card, and is what counts as a look at it.
"""

from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages.web import ForAStranger, PageRoute, Web, WebPages
from services.gateway.schemas.card import SharedCard, ShareState
from shared import clock
from shared.errors import Gone

HERE: Final = "/carte-partagee/{token}"

router = APIRouter(route_class=PageRoute, dependencies=[ForAStranger], include_in_schema=False)

_MAX_CHARACTERS: Final = 200
"""Of what may stand at the end of a link; more is as unknown as any other."""


@router.get(HERE)
async def button(request: Request, web: WebPages, token: str) -> Response:
    """That there is a card to see, and until when."""
    answer = await web.sessions.anonymous(request, "POST", "/card/shares/checks", {"token": token[:_MAX_CHARACTERS]})
    if not answer.ok:
        return _over(web, request)
    ends_at = ShareState.model_validate(answer.body).expires_at
    return web.page(request, "shared_card_button.html", ends_at=ends_at, today=_today())


@router.post(HERE)
async def card(request: Request, web: WebPages, token: str) -> Response:
    """The card. There is no form to check: the link alone gives the right, and only a look is counted."""
    answer = await web.sessions.anonymous(request, "POST", "/card/shares/openings", {"token": token[:_MAX_CHARACTERS]})
    if not answer.ok:
        return _over(web, request)
    shown = SharedCard.model_validate(answer.body)
    return web.page(request, "shared_card.html", card=shown, ends_at=shown.expires_at, today=_today())


def _over(web: Web, request: Request) -> Response:
    """Ended, stopped, or never ours: all alike."""
    return web.page(request, "shared_card_over.html", Gone.status)


def _today() -> date:
    return clock.day_in_france(clock.now())
