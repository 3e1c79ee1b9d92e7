"""The HTTP entrance of shared cards: for the member who shares, and for whoever has the link."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.claims.api import AllClaims, Printed
from services.claims.schemas.shares import SharedCardDetail, SharedToken, ShareItem, ShareList, ShareState
from services.claims.shares import Shares
from shared.api import IdempotencyKey, NotStored
from shared.app import API_PREFIX
from shared.settings import Origin
from shared.tokens import CurrentMember, WritingMember

router = APIRouter(prefix=f"{API_PREFIX}/card/shares", dependencies=[NotStored])


async def _shares(request: Request) -> Shares:
    shares: Shares = request.app.state.shares
    return shares


async def _portal(request: Request) -> Origin:
    portal: Origin = request.app.state.portal_url
    return portal


AllShares = Annotated[Shares, Depends(_shares)]
Portal = Annotated[Origin, Depends(_portal)]


@router.post("", status_code=201)
async def share_card(
    member: WritingMember, shares: AllShares, portal: Portal, idempotency_key: IdempotencyKey = None
) -> ShareItem:
    """A link that shows the card of the day for 24 hours, N° INSEE masked, to whoever has it.

    403 `membership_ended` once the membership is over.
    """
    return ShareItem.of(await shares.create(member.member_number, idempotency_key), portal)


@router.get("")
async def list_shares(member: CurrentMember, shares: AllShares, portal: Portal) -> ShareList:
    """The member's open links, newest first, and how often each was opened."""
    return ShareList(items=[ShareItem.of(share, portal) for share in await shares.of_member(member.member_number)])


@router.delete("/{share_id}", status_code=204, response_class=Response)
async def stop_sharing(member: CurrentMember, shares: AllShares, share_id: UUID) -> None:
    """Stop one: its link shows nothing any more, from now on."""
    await shares.end(member.member_number, str(share_id))


@router.post("/checks")
async def check_share(shares: AllShares, typed: SharedToken) -> ShareState:
    """Until when a link is good. Nothing of the member, and not counted: who previews links may ask."""
    share, _ = await shares.look(typed.token)
    return ShareState(expires_at=share.expires_at)


@router.post("/openings")
async def open_share(shares: AllShares, claims: AllClaims, papers: Printed, typed: SharedToken) -> SharedCardDetail:
    """The shared card, which counts as a look at it."""
    share, card = await shares.show(typed.token)
    return SharedCardDetail.shared(card, papers.insurer, claims.open_nir, share)
