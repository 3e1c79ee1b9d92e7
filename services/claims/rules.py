"""The rules of claims and memberships, pure: the same facts end in the same state, in whatever order and how often."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from operator import attrgetter
from typing import Any

from services.claims.models import Claim, CoverageKey, Fact, Figures, Listing, Member, Order, Status
from services.claims.search import found_by
from shared.events.base import Event
from shared.events.claims_payment import ClaimLine, ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed
from shared.events.fields import MAX_CENTS
from shared.events.membership import (
    Beneficiary,
    Coverage,
    CoverageChanged,
    MemberEnrolled,
    MembershipEnded,
    MembershipEvent,
    MemberUpdated,
)
from shared.live import key

ClaimEvent = ClaimReceived | ClaimPaid | ClaimRefused | ClaimReversed
Seal = Callable[[str, str], str]
"""(NIR, where it is kept) → the NIR sealed for that place."""

_LINE_COLUMNS: Mapping[str, Callable[[ClaimLine], int]] = {
    each.name: attrgetter("complementary_cents" if each.name == "amount_cents" else each.name)
    for each in fields(Figures)
}
"""What of a line each figure adds up."""
_PERSON_FIELDS = ("insurer", "title", "first_name", "last_name", "birth_date", "nir", "beneficiaries")


# Claims


def payments_named(events: Iterable[Event[ClaimEvent]]) -> set[tuple[str, str]]:
    """(`member_number`, `payment_id`) of each payment that a claim was announced for."""
    return {(e.data.member_number, e.data.payment.payment_id) for e in events if isinstance(e.data, ClaimPaid)}


def claims_named(event: ClaimEvent) -> tuple[str, ...]:
    """The ids of the claims an event speaks of: a reversal is a record of its own and marks the one it takes back."""
    return (event.claim_id, event.reverses) if isinstance(event, ClaimReversed) else (event.claim_id,)


def merge(claim: Claim, event: ClaimEvent, order: Order) -> Claim:
    """`claim` with what `event` says; the very same object if a newer fact of that kind is held already."""
    kind = _kind(claim, event)
    held: Fact[Any] | None = getattr(claim, kind)
    if held is not None and held.order >= order:
        return claim
    fact: Any = Fact(order, event)
    return replace(claim, **{kind: fact})


def _kind(claim: Claim, event: ClaimEvent) -> str:
    match event:
        case ClaimReceived():
            return "received"
        case ClaimRefused():
            return "refused"
        case ClaimPaid():
            return "paid"
        case ClaimReversed():
            return "reversal" if event.claim_id == claim.claim_id else "reversed_by"


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
    words = [*_words(claim), *(_words(original) if original else ())]
    return Listing(
        status=stands,
        date=happened_on(claim).isoformat(),
        beneficiary_rank=beneficiary_rank(source),
        domains=tuple(sorted({line.domain for line in lines})),
        words=found_by(words),
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
    return replace(_paid_figures(original.paid.value, -1), amount_cents=amount_cents)


def _paid_figures(paid: ClaimPaid, sign: int) -> Figures:
    sums = {name: sign * sum(map(column, paid.lines)) for name, column in _LINE_COLUMNS.items()}
    return Figures(**{name: min(cents, MAX_CENTS) for name, cents in sums.items()})  # MIN_CENTS has no positive twin


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
    facts: tuple[Fact[Any] | None, ...] = (claim.received, claim.refused, claim.paid)
    return list(dict.fromkeys(document for fact in facts if fact for document in fact.value.document_ids))


def _words(claim: Claim) -> Iterable[str]:
    """What a claim is searched by; the longest text last, should there be too many words."""
    yield claim.claim_id
    if claim.received:
        yield claim.received.value.label or ""
    if claim.paid:
        yield claim.paid.value.payment.payment_id
        yield claim.paid.value.payment.payee_name or ""
        yield from (line.act_label for line in claim.paid.value.lines)
    if claim.refused:
        yield claim.refused.value.reason


def fold(held: Mapping[str, Claim], events: Sequence[Event[ClaimEvent]]) -> list[tuple[Claim, Listing | None]]:
    """What to store after `events`: each changed claim with its listing, and the reversals of changed claims.

    `held` has, by key, what is stored of each claim named by `events`, of its reversals, and of what those take back.
    """
    now = dict(held)
    for event in events:
        for claim_id in claims_named(event.data):
            claim_key = key(event.data.member_number, claim_id)
            before = now.get(claim_key) or Claim(event.data.member_number, claim_id)
            now[claim_key] = merge(before, event.data, event.order)
    changed = {claim_key for claim_key, claim in now.items() if claim is not held.get(claim_key)}
    return [
        (claim, listing(claim, now.get(original_key(claim) or "")))
        for claim_key, claim in now.items()
        if claim_key in changed or original_key(claim) in changed
    ]


def original_key(claim: Claim) -> str | None:
    """The key of the claim that this reversal takes back; None for any other record."""
    if status(claim) is not Status.REVERSAL or claim.reversal is None:
        return None
    return key(claim.member_number, claim.reversal.value.reverses)


# Members


def merge_member(member: Member, event: MembershipEvent, order: Order, seal: Seal) -> Member:
    """`member` with what `event` says; the very same object if all of it is older than what is held."""
    facts = {
        name: Fact(order, _kept(member.member_number, name, value, seal))
        for name, value in _told(event).items()
        if _newer(order, member.facts.get(name))
    }
    coverages = {
        coverage_key(coverage): Fact(order, coverage)
        for coverage in _coverages(event)
        if _newer(order, member.coverages.get(coverage_key(coverage)))
    }
    if not facts and not coverages:
        return member
    return replace(member, facts={**member.facts, **facts}, coverages={**member.coverages, **coverages})


def coverage_key(coverage: Coverage) -> CoverageKey:
    """A contract's period; the same key again is a correction of that period."""
    return coverage.contract_number, coverage.valid_from.isoformat()


def _newer(order: Order, held: Fact[Any] | None) -> bool:
    return held is None or order > held.order


def _told(event: MembershipEvent) -> Mapping[str, Any]:
    """The fields we keep of what `event` says. Enrolling anew ends the end of an earlier membership."""
    match event:
        case MemberEnrolled():
            return {name: getattr(event, name) for name in _PERSON_FIELDS} | {"ended_on": None}
        case MemberUpdated():
            return {name: value for name, value in event.changes.items() if name in _PERSON_FIELDS}
        case MembershipEnded():
            return {"ended_on": event.ended_on}
    return {}


def _coverages(event: MembershipEvent) -> tuple[Coverage, ...]:
    return (event.coverage,) if isinstance(event, MemberEnrolled | CoverageChanged) else ()


def _kept(member_number: str, name: str, value: Any, seal: Seal) -> Any:
    """The form in which a field is stored: dates as text, NIRs sealed for their place."""
    if name == "nir":
        return seal(value, f"members/{member_number}/nir")
    if name == "beneficiaries":
        return [_beneficiary(member_number, person, seal) for person in value]
    return value.isoformat() if isinstance(value, date) else value


def nir_place(member_number: str, rank: int) -> str:
    """Where a beneficiary's NIR is kept: it is sealed for this place and opens nowhere else."""
    return f"members/{member_number}/beneficiaries/{rank}/nir"


def _beneficiary(member_number: str, person: Beneficiary, seal: Seal) -> dict[str, Any]:
    return person.model_dump(mode="json") | {"nir": seal(person.nir, nir_place(member_number, person.rank))}
