"""The portal's pages: one module per tab, its templates beside it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.pages import (
    account,
    activation,
    activity,
    card,
    card_shares,
    close_device,
    components,
    confirm,
    devices,
    documents,
    first_sign_in,
    home,
    identifier,
    language,
    lost_password,
    messages,
    overview,
    passkeys,
    passwords,
    reimbursements,
    second_factor,
    session_end,
    shared_card,
    statements,
    two_steps,
    undo_change,
    unlock,
    year,
)
from services.gateway.pages.web import PageRoute
from shared.errors import NotFound

WITH_FILES = frozenset({documents.SEND})
"""Paths whose forms carry a file: they bound their bodies themselves."""


def routers(*, components_page: bool) -> tuple[APIRouter, ...]:
    """Every page, then the page for an address that does not exist: it must come last of all routes."""
    return (
        home.router,
        session_end.router,
        second_factor.router,
        first_sign_in.router,
        activation.router,
        undo_change.router,
        lost_password.router,
        passwords.router,
        close_device.router,
        unlock.router,
        overview.router,
        year.router,  # before the list's, which would take its address for a claim
        reimbursements.router,
        statements.router,
        card.router,
        card_shares.router,
        shared_card.router,
        documents.router,
        documents.sending,
        messages.router,
        account.router,
        devices.router,
        passkeys.challenges,
        passkeys.router,
        activity.router,
        identifier.router,
        confirm.router,
        two_steps.router,
        language.router,
        *([components.router] if components_page else []),
        _unknown(),
    )


def _unknown() -> APIRouter:
    unknown = APIRouter(route_class=PageRoute, include_in_schema=False)

    @unknown.api_route("/{path:path}", methods=["GET", "POST"])
    async def not_found(request: Request, path: str) -> Response:
        raise NotFound

    return unknown
