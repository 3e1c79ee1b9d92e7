"""Mon compte: who the member is to us, and how they sign in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages.passwords import PasswordChange, change_page, changed
from services.gateway.pages.web import CheckedForm, PageRoute, SignedIn, WebPages, see
from services.gateway.schemas.account import Account
from shared.errors import RequiredAction

HERE = "/compte"

router = APIRouter(prefix=HERE, route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("")
async def account(request: Request, web: WebPages, session: SignedIn, fait: str = "") -> Response:
    """The account as it is now. `fait`: what was just done."""
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    member = Account.model_validate(answer.body)
    if member.required_actions:
        raise RequiredAction
    return web.page(request, "account.html", account=member, done=fait)


@router.get("/mot-de-passe")
async def password(request: Request, web: WebPages, _session: SignedIn) -> Response:
    """The form of a new password."""
    return change_page(web, request, first=False)


@router.post("/mot-de-passe")
async def change_password(
    request: Request, web: WebPages, session: SignedIn, typed: Annotated[PasswordChange, Form()]
) -> Response:
    """Change it; this session goes on, the others end."""
    refused = await changed(web, request, session, typed)
    return change_page(web, request, refused, first=False) if refused else see(f"{HERE}?fait=mot-de-passe")
