"""Use cases of the claims service: taking in what the internal systems announce, answering what a member asks."""

from collections.abc import Sequence

from services.claims import rules
from services.claims.models import Claim, Listing, Member, Reimbursement
from services.claims.store import ClaimsStore, Filter, Position
from shared.errors import NotFound
from shared.events.base import Event
from shared.events.membership import MembershipEvent
from shared.live import key
from shared.mongo import Transaction
from shared.sealing import Keyring


class Claims:
    """The claims of all members."""

    def __init__(self, store: ClaimsStore, at_rest: Keyring) -> None:
        self._store, self._at_rest = store, at_rest

    async def take_claims(self, events: Sequence[Event[rules.ClaimEvent]], tx: Transaction) -> None:
        """Merge a batch of claim events into the claims they name."""
        named = {key(e.data.member_number, claim_id) for e in events for claim_id in rules.claims_named(e.data)}
        held = await self._store.claims_around(named, tx)
        await self._store.save_claims(rules.fold(held, events), tx)

    async def take_memberships(self, events: Sequence[Event[MembershipEvent]], tx: Transaction) -> None:
        """Merge a batch of membership events into the members they name."""
        held = await self._store.members({event.data.member_number for event in events}, tx)
        now = dict(held)
        for event in events:
            number = event.data.member_number
            now[number] = rules.merge_member(now.get(number) or Member(number), event.data, event.order, self._seal)
        await self._store.save_members([member for number, member in now.items() if member is not held.get(number)], tx)

    async def erase(self, member_numbers: Sequence[str], tx: Transaction) -> None:
        """Forget these members."""
        await self._store.erase(member_numbers, tx)

    async def reimbursements(
        self, member_number: str, which: Filter, after: Position | None, limit: int
    ) -> tuple[list[Reimbursement], Position | None]:
        """Up to `limit` of the member's claims after that position, newest first; and where the next page begins."""
        found = await self._store.list_claims(member_number, which, after, limit + 1)
        names = await self._names(member_number)
        page = [_named(claim, listing, names) for claim, listing in found[:limit]]
        return page, Position.of(page[-1].claim, page[-1].listing) if len(found) > limit else None

    async def reimbursement(self, member_number: str, claim_id: str) -> Reimbursement:
        """One claim of the member; raises `NotFound`, for someone else's too."""
        found = await self._store.find_claim(member_number, claim_id)
        if found is None:
            raise NotFound
        return _named(*found, await self._names(member_number))

    async def _names(self, member_number: str) -> dict[int, str]:
        member = await self._store.find_member(member_number)
        return member.first_names() if member else {}

    def _seal(self, nir: str, place: str) -> str:
        return self._at_rest.seal_at_rest(nir, context=place)


def _named(claim: Claim, listing: Listing, names: dict[int, str]) -> Reimbursement:
    return Reimbursement(claim, listing, names.get(listing.beneficiary_rank or 0))
