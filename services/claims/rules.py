"""The rules of claims, pure: the same facts end in the same state, in whatever order and how often."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from services.claims.models import (
    Claim,
    DomainSums,
    Figures,
    Kept,
    Listing,
    Status,
    Told,
)
from services.claims.search import found_by
from shared.events.base import Event
from shared.events.claims_payment import (
    Amounts,
    ClaimLine,
    ClaimPaid,
    ClaimReceived,
    ClaimRefused,
    ClaimReversed,
    added_up,
)
from shared.events.fields import MAX_CENTS, MIN_CENTS
from shared.live import key

ClaimEvent = ClaimReceived | ClaimPaid | ClaimRefused | ClaimReversed
AnyTold = Told[Any]


def claims_named(event: ClaimEvent) -> tuple[str, ...]:
    """The ids of the claims an event speaks of: a reversal is a record of its own and marks the one it takes back."""
    return (event.claim_id, event.reverses) if isinstance(event, ClaimReversed) else (event.claim_id,)


def merge(claim: Claim, event: Event[ClaimEvent]) -> tuple[Claim, AnyTold | None]:
    """`claim` with what `event` says, and the fact of that kind that stands no more, or never will: the older one.

    The claim is the very same object if nothing changes; an event that is held already, told again, is no older one.
    """
    kind, fact = _kind(claim.claim_id, event.data), told(event)
    held: AnyTold | None = getattr(claim, kind)
    if held is None or held.order < fact.order:
        change: dict[str, Any] = {kind: fact}
        return claim._replace(**change), held
    return claim, fact if held.order > fact.order else None


def _begun(claim_id: str, event: Event[ClaimEvent]) -> Claim:
    facts: dict[str, Any] = {_kind(claim_id, event.data): told(event)}
    return Claim(event.data.member_number, claim_id, **facts)


def told(event: Event[ClaimEvent]) -> AnyTold:
    """The fact that an event is."""
    return Told(event.order, event.data, (event.json or event.data.to_json()).decode())


def _kind(claim_id: str, event: ClaimEvent) -> str:
    match event:
        case ClaimReceived():
            return "received"
        case ClaimRefused():
            return "refused"
        case ClaimPaid():
            return "paid"
        case ClaimReversed():
            return "reversal" if event.claim_id == claim_id else "reversed_by"


def status(claim: Claim) -> Status | None:
    """Where the claim stands; None while only the reversal that takes it back is known, which shows nothing."""
    if claim.paid:
        return Status.REVERSED if claim.reversed_by else Status.PAID
    if claim.refused:
        return Status.REFUSED
    if claim.received:
        return Status.RECEIVED
    return Status.REVERSAL if claim.reversal else None


def listing(claim: Claim, original: Claim | None) -> Listing | None:
    """How `claim` is found in lists. A reversal is found wherever the claim it takes back, `original`, is found."""
    stands = status(claim)
    if stands is None:
        return None
    source = original or claim
    lines = source.paid.value.lines if source.paid else ()
    told_of = [claim, original] if original else [claim]
    return Listing(
        status=stands,
        date=happened_on(claim).isoformat(),
        beneficiary_rank=beneficiary_rank(source),
        domains=tuple(sorted({line.domain for line in lines})),
        words=found_by(chain(*map(_ids, told_of)), chain(*map(_texts, told_of))),
        figures=figures(claim, original),
    )


def figures(claim: Claim, original: Claim | None) -> Figures | None:
    """What `claim` adds to a list's sums; of a reversal, what it takes back of `original`: all of it."""
    if claim.paid:
        return _paid_figures(claim.paid.value, 1)
    if status(claim) is not Status.REVERSAL or claim.reversal is None:
        return None
    amount_cents = claim.reversal.value.amount_cents
    if original is None or original.paid is None:
        return Figures(amount_cents)
    return _paid_figures(original.paid.value, -1)._replace(amount_cents=amount_cents)


def _paid_figures(paid: ClaimPaid, sign: int) -> Figures:
    total = paid.total
    spent, base, statutory, complementary, other = total
    cents = [complementary, spent, base, statutory, other, total.left_to_pay_cents]
    if sign < 0:
        cents = [min(-one, MAX_CENTS) for one in cents]  # MIN_CENTS has no positive twin
    return Figures(*cents)


def by_domain(paid: ClaimPaid) -> dict[str, DomainSums]:
    """The lines of a claim added up by domain, in the order of their first."""
    lines: dict[str, list[ClaimLine]] = {}
    for line in paid.lines:
        lines.setdefault(line.domain, []).append(line)
    if len(lines) == 1:
        return {domain: DomainSums(paid.total, _deductions(paid.lines)) for domain in lines}
    return {domain: DomainSums(_within_64_bits(some), _deductions(some)) for domain, some in lines.items()}


def _within_64_bits(lines: Sequence[ClaimLine]) -> Amounts:
    """All lines of a claim together are; those of one domain need not be."""
    return Amounts(*[max(MIN_CENTS, min(cents, MAX_CENTS)) for cents in added_up(lines)])


def _deductions(lines: Sequence[ClaimLine]) -> int:
    return min(-sum([line.statutory_cents for line in lines if line.statutory_cents < 0]), MAX_CENTS)


def happened_on(claim: Claim) -> date:
    """The day of what the status tells: paid, refused, received or taken back on. Needs a claim with a status."""
    if claim.paid:
        return claim.paid.value.payment.paid_on
    if claim.refused:
        return claim.refused.value.refused_on
    if claim.received:
        return claim.received.value.received_on
    assert claim.reversal is not None  # noqa: S101 - the caller's promise
    return claim.reversal.value.reversed_on


def beneficiary_rank(claim: Claim) -> int | None:
    """Whom the claim is for, as the fact that decides its status says; None for a reversal alone."""
    fact = claim.paid or claim.refused or claim.received
    return fact.value.beneficiary_rank if fact else None


def label(claim: Claim) -> str | None:
    """A few words for a list: what the payer called the claim, else its first act."""
    if claim.received and claim.received.value.label:
        return claim.received.value.label
    return claim.paid.value.lines[0].act_label if claim.paid else None


def document_ids(claim: Claim) -> list[str]:
    """The member's documents that the claim was settled from, each once."""
    facts: tuple[AnyTold | None, ...] = (claim.received, claim.refused, claim.paid)
    return list(dict.fromkeys([document for fact in facts if fact for document in fact.value.document_ids]))


def _ids(claim: Claim) -> Sequence[str]:
    """Its own and its payment's."""
    return [claim.claim_id, claim.paid.value.payment.payment_id] if claim.paid else [claim.claim_id]


def _texts(claim: Claim) -> Iterable[str]:
    """What a claim is searched by besides; the longest text last, should there be too many words."""
    if claim.received:
        yield claim.received.value.label or ""
    if claim.paid:
        yield claim.paid.value.payment.payee_name or ""
        yield from [line.act_label for line in claim.paid.value.lines]
    if claim.refused:
        yield claim.refused.value.reason


@dataclass(frozen=True, slots=True)
class Folded:
    """What to store after some events: each changed claim, and the reversals of changed claims, with its listing.

    `superseded`: the events that stand in no claim (any more). `payments`: those that a claim was newly paid by,
    (`member_number`, `payment_id`).
    """

    claims: Sequence[tuple[Claim, Listing | None]]
    superseded: Sequence[Kept]
    payments: Set[tuple[str, str]]


def fold(held: Mapping[str, Claim], events: Sequence[Event[ClaimEvent]]) -> Folded:
    """Merge `events` into the claims they name; an event that was merged before changes nothing.

    `held` has, by key, what is stored of each claim named by `events`, of its reversals, and of what those take back.
    """
    now = dict(held)
    superseded: list[Kept] = []
    payments: set[tuple[str, str]] = set()
    for event in events:
        data = event.data
        for claim_id in claims_named(data):
            claim_key = key(data.member_number, claim_id)
            before, older = now.get(claim_key), None
            if before is None:
                now[claim_key] = _begun(claim_id, event)
            else:
                now[claim_key], older = merge(before, event)
            if older and claim_id == data.claim_id:  # of a claim taken back twice, each reversal has its own record
                superseded.append(Kept.of(older))
            if isinstance(data, ClaimPaid) and now[claim_key] is not before:
                payments.add((data.member_number, data.payment.payment_id))
    changed = {claim_key for claim_key, claim in now.items() if claim is not held.get(claim_key)}
    return Folded(
        [
            (claim, listing(claim, now.get(original_key(claim) or "")))
            for claim_key, claim in now.items()
            if claim_key in changed or original_key(claim) in changed
        ],
        superseded,
        payments,
    )


def original_key(claim: Claim) -> str | None:
    """The key of the claim that this reversal takes back; None for any other record."""
    if claim.reversal is None or status(claim) is not Status.REVERSAL:
        return None
    return key(claim.member_number, claim.reversal.value.reverses)
