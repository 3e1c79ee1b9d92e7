"""Use cases of the claims service: taking in what the internal systems announce, answering what a member asks."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from dataclasses import dataclass

from services.claims import card, member_rules, rules
from services.claims.card import Card
from services.claims.errors import ListTooLong, NoCard, StatementTooLong
from services.claims.models import (
    Claim,
    Listing,
    Member,
    PaymentList,
    Reimbursement,
    ReimbursementList,
    Statement,
)
from services.claims.rebuild.fence import Fence
from services.claims.statements import Statements
from services.claims.store import ClaimsStore
from services.claims.store.queries import Filter, PaymentPosition, Position
from services.claims.summary import Summary, summary
from shared.errors import NotFound
from shared.events.base import Event
from shared.events.claims import CardRenewed
from shared.events.membership import MembershipEvent
from shared.live import key
from shared.logs import get_logger
from shared.mongo import Transaction
from shared.nir import Nir
from shared.sealing import Keyring

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """`paper_lines`: of one printed statement or list. `export_claims`: of one spreadsheet."""

    paper_lines: int
    export_claims: int


class Claims:
    """The claims, payments and cards of all members."""

    def __init__(
        self, store: ClaimsStore, at_rest: Keyring, statements: Statements, limits: Limits, fence: Fence
    ) -> None:
        self._store, self._at_rest, self._statements = store, at_rest, statements
        self._limits, self._fence = limits, fence

    # From the internal systems

    async def take_claims(self, events: Sequence[Event[rules.ClaimEvent]], tx: Transaction) -> None:
        """Merge a batch of claim events into the claims they name; the statements of their payments wait for quiet.

        What was merged before changes nothing: no inbox is needed.
        """
        named = {key(e.data.member_number, claim_id) for e in events for claim_id in rules.claims_named(e.data)}
        async with self._fence.batch(tx) as (store, *beside):
            folded = await _merge(store, named, events, tx)
            await store.save_superseded(folded.superseded, tx)
            await self._statements.expect(folded.payments, tx)
            for other in beside:
                await _merge(other, named, events, tx)

    async def take_memberships(self, events: Sequence[Event[MembershipEvent]], tx: Transaction) -> None:
        """Merge a batch of membership events into the members they name, and announce the cards they renew."""
        held = await self._store.members({event.data.member_number for event in events}, tx)
        now = dict(held)
        for event in events:
            number = event.data.member_number
            before = now.get(number) or Member(number)
            now[number] = member_rules.merge_member(before, event.data, event.order, self._seal)
            if overlaps := card.overlaps(before, now[number]):
                # By the event alone the publisher finds whose it is; told again if the transaction has to run again.
                log.warning("coverage_periods_overlap", event_id=event.id, periods=overlaps)
            if valid_from := card.renewed(before, now[number], card.today()):
                tx.publish(Event.of(CardRenewed(member_number=number, valid_from=valid_from)))
        await self._store.save_members([member for number, member in now.items() if member is not held.get(number)], tx)

    async def erase(self, member_numbers: Sequence[str], tx: Transaction) -> None:
        """Forget these members."""
        async with self._fence.batch(tx) as stores:
            for store in stores:
                await store.erase(member_numbers, tx)
            await self._statements.erase(member_numbers, tx)
            await self._fence.hold_rebuild(tx)

    # For a member

    async def reimbursements(
        self, member_number: str, which: Filter, after: Position | None, limit: int
    ) -> ReimbursementList:
        """Up to `limit` of the member's claims after that position, newest first; the sums are those of all pages."""
        found, totals, member = await asyncio.gather(
            self._store.list_claims(member_number, which, after, limit + 1),
            self._store.list_totals(member_number, which),
            self._member(member_number),
        )
        names = member.first_names()
        return ReimbursementList(_all_named(found[:limit], names), len(found) > limit, totals, names)

    async def spreadsheet(self, member_number: str, which: Filter) -> AsyncIterator[tuple[Reimbursement, ...]]:
        """All of a filtered list, some at a time; raises `ListTooLong` at once, before the first of it is read."""
        await self._expect_short(member_number, which, self._limits.export_claims)
        names = (await self._member(member_number)).first_names()
        batches = self._store.each_claim(member_number, which)
        return (_all_named(batch, names) async for batch in batches)

    async def paper_list(self, member_number: str, which: Filter) -> tuple[Member, list[Reimbursement]]:
        """Whose list it is, and all of it; raises `ListTooLong`."""
        await self._expect_short(member_number, which, self._limits.paper_lines)
        member = await self._member(member_number)
        batches = self._store.each_claim(member_number, which)
        return member, [claim async for batch in batches for claim in _all_named(batch, member.first_names())]

    async def _expect_short(self, member_number: str, which: Filter, most: int) -> None:
        if (await self._store.list_totals(member_number, which)).claim_count > most:
            raise ListTooLong(extra={"limit_claims": most})

    async def reimbursement(self, member_number: str, claim_id: str) -> Reimbursement:
        """One claim of the member; raises `NotFound`, for someone else's too."""
        found, member = await asyncio.gather(
            self._store.find_claim(member_number, claim_id), self._member(member_number)
        )
        if found is None:
            raise NotFound
        return _named(*found, member.first_names())

    async def summary(self, member_number: str, year: int | None) -> Summary:
        """The member's year in figures, by default this year in France."""
        return summary(year or card.today().year, await self._store.paid_lines(member_number))

    async def payments(
        self, member_number: str, year: int | None, after: PaymentPosition | None, limit: int
    ) -> PaymentList:
        """Up to `limit` of the member's payments after that position, newest first; of one year, or of all."""
        return await self._store.list_payments(member_number, year, after, limit)

    async def statement(self, member_number: str, payment_id: str) -> Statement:
        """A payment with its claims; raises `NotFound`, for someone else's too, and `StatementTooLong`."""
        payment = await self._store.find_payment(member_number, payment_id)
        if payment is None:
            raise NotFound
        found = await self._store.claims_of_payment(member_number, payment_id, self._limits.paper_lines + 1)
        if sum(len(claim.paid.value.lines) for claim, _ in found if claim.paid) > self._limits.paper_lines:
            raise StatementTooLong
        member = await self._member(member_number)
        names = member.first_names()
        return Statement(member, payment, _all_named(found, names))

    async def card(self, member_number: str, day: dt.date | None) -> Card:
        """The member's card on that day, today by default; raises `NoCard`."""
        member, day = await self._member(member_number), day or card.today()
        found = card.card_on(member, day)
        if found is None:
            known = {"next_valid_from": card.next_valid_from(member, day), "ended_on": card.ended_on(member)}
            raise NoCard(extra={name: value.isoformat() for name, value in known.items() if value})
        return found

    def open_nir(self, sealed: str, place: str) -> Nir:
        """A NIR as it was sealed for that place."""
        return Nir(self._at_rest.open_at_rest(sealed, context=place).decode())

    async def _member(self, member_number: str) -> Member:
        return await self._store.find_member(member_number) or Member(member_number)

    def _seal(self, nir: str, place: str) -> str:
        return self._at_rest.seal_at_rest(nir, context=place)


async def _merge(
    store: ClaimsStore, named: Set[str], events: Sequence[Event[rules.ClaimEvent]], tx: Transaction
) -> rules.Folded:
    held = await store.claims_around(named, tx)
    folded = rules.fold(held, events)
    await store.save_claims(folded.claims, held, tx)
    return folded


def _all_named(claims: Sequence[tuple[Claim, Listing]], names: Mapping[int, str]) -> tuple[Reimbursement, ...]:
    return tuple(_named(claim, listing, names) for claim, listing in claims)


def _named(claim: Claim, listing: Listing, names: Mapping[int, str]) -> Reimbursement:
    return Reimbursement(claim, listing, names.get(listing.beneficiary_rank or 0))
