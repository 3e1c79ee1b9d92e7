"""The rules of memberships, pure: the same facts end in the same state, in whatever order and how often."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from services.claims.models import CoverageKey, Fact, Member, Order
from shared.events.membership import (
    Beneficiary,
    Coverage,
    CoverageChanged,
    MemberEnrolled,
    MembershipEnded,
    MembershipEvent,
    MemberUpdated,
)

Seal = Callable[[str, str], str]
"""(NIR, where it is kept) → the NIR sealed for that place."""

_PERSON_FIELDS = ("insurer", "title", "first_name", "last_name", "birth_date", "nir", "beneficiaries")


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
