"""Use cases of a shared card: a member gives a professional a link to it; whoever has the link sees the card."""

from collections.abc import Collection
from datetime import datetime

from services.claims import card, share_rules
from services.claims.card import Card
from services.claims.errors import NoCard, ShareOver, TooManyShares
from services.claims.models import Share
from services.claims.share_store import ShareStore
from services.claims.store import ClaimsStore
from shared.clock import now
from shared.errors import NotFound
from shared.ids import new_id
from shared.mongo import Mongo, Transaction


class Shares:
    """The shared cards of all members."""

    def __init__(self, mongo: Mongo, store: ClaimsStore, shares: ShareStore, max_open: int) -> None:
        """`max_open`: of one member, at the same time."""
        self._mongo, self._store, self._shares, self._max_open = mongo, store, shares, max_open

    # For a member

    async def create(self, member_number: str, once: str | None) -> Share:
        """A new link, or the one that a request with the key `once` made. Raises `NoCard`, `TooManyShares`."""

        async def body(tx: Transaction) -> Share:
            at = now()
            await self._shares.hold(member_number, tx)
            if once and (made := await self._shares.made_with(member_number, once, at, tx)):
                return made
            member = (await self._store.members({member_number}, tx)).get(member_number)
            if member is None or card.card_on(member, card.today()) is None:
                raise NoCard
            if len(await self._shares.open(member_number, at, tx)) >= self._max_open:
                raise TooManyShares(extra={"max_open": self._max_open})
            ends_at = share_rules.ends_at(member, at)
            share = Share(new_id(), member_number, share_rules.new_token(), created_at=at, expires_at=ends_at)
            await self._shares.add(share, once, tx)
            return share

        return await self._mongo.transaction(body)

    async def of_member(self, member_number: str) -> list[Share]:
        """The member's open links, newest first; none where there is no card that they could show."""
        member = await self._store.find_member(member_number)
        if member is None or card.card_on(member, card.today()) is None:
            return []
        return await self._shares.open(member_number, now())

    async def end(self, member_number: str, share_id: str) -> None:
        """Stop one at once; raises `NotFound`, for someone else's too."""
        if not await self._shares.end(member_number, share_id):
            raise NotFound

    # For whoever has a link

    async def look(self, token: str) -> tuple[Share, Card]:
        """The share and the card it shows today, uncounted; raises `ShareOver`."""
        share = await self._shares.find(token, now())
        member = await self._store.find_member(share.member_number) if share else None
        shown = card.card_on(member, card.today()) if member else None
        if share is None or shown is None:
            raise ShareOver
        return share, shown

    async def show(self, token: str) -> tuple[Share, Card]:
        """The same, counted: somebody looks at the card."""
        share, shown = await self.look(token)
        if not await self._shares.count(share, now()):
            raise ShareOver
        return share, shown

    # For events

    async def end_before(self, member_number: str, instant: datetime, tx: Transaction) -> None:
        """Every session of that time was closed: what a stranger shared from one of them ends with it."""
        await self._shares.end_before(member_number, instant, tx)

    async def erase(self, member_numbers: Collection[str], tx: Transaction) -> None:
        """Forget what these members shared."""
        await self._shares.erase(member_numbers, tx)
