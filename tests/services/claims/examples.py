"""Events as the internal systems would publish them, small enough to read."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from deploy.simulator.people import coverage as simulated
from shared.events.base import Event
from shared.events.claims_payment import ClaimLine, ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed, Payment
from shared.events.membership import (
    Beneficiary,
    Coverage,
    CoverageChanged,
    MemberEnrolled,
    MembershipEnded,
    MemberUpdated,
    PostalAddress,
)
from shared.nir import Nir

MEMBER = "12345678"
NIR = Nir("2840575117001")
CHILDS_NIR = Nir("1150375117002")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(second: int) -> datetime:
    """That many seconds after noon."""
    return NOON + timedelta(seconds=second)


def line(number: int = 1, **changed: Any) -> ClaimLine:
    told: dict[str, Any] = {
        "line": number,
        "care_date": date(2026, 11, 12),
        "act_code": "PH7",
        "act_label": "Pharmacie 65 %",
        "domain": "PHAR",
        "quantity": 1,
        "spent_cents": 2000,
        "base_cents": 2000,
        "statutory_cents": 1300,
        "complementary_cents": 700,
        "other_cents": 0,
    }
    return ClaimLine(**told | changed)


def received(claim_id: str, *, member: str = MEMBER, rank: int = 1, **changed: Any) -> ClaimReceived:
    told: dict[str, Any] = {"received_on": date(2026, 11, 10)}
    return ClaimReceived(member_number=member, claim_id=claim_id, beneficiary_rank=rank, **told | changed)


def paid(
    claim_id: str,
    *lines: ClaimLine,
    member: str = MEMBER,
    rank: int = 1,
    paid_on: date = date(2026, 11, 20),
    payment_id: str = "P-1",
    payee_name: str | None = None,
) -> ClaimPaid:
    lines = lines or (line(),)
    return ClaimPaid(
        member_number=member,
        claim_id=claim_id,
        beneficiary_rank=rank,
        amount_cents=sum(act.complementary_cents for act in lines),
        payment=Payment(
            payment_id=payment_id,
            paid_on=paid_on,
            payee="provider" if payee_name else "member",
            payee_name=payee_name,
        ),
        lines=lines,
    )


def refused(claim_id: str, *, member: str = MEMBER, rank: int = 1, **changed: Any) -> ClaimRefused:
    told: dict[str, Any] = {
        "refused_on": date(2026, 11, 15),
        "reason_code": "missing_prescription",
        "reason": "Ordonnance manquante",
        "what_to_do": "Envoyez l’ordonnance",
    }
    return ClaimRefused(member_number=member, claim_id=claim_id, beneficiary_rank=rank, **told | changed)


def reversed_(claim_id: str, reverses: str, *, member: str = MEMBER, **changed: Any) -> ClaimReversed:
    told: dict[str, Any] = {"reversed_on": date(2026, 11, 25), "amount_cents": -700, "reason": "Payé deux fois"}
    return ClaimReversed(member_number=member, claim_id=claim_id, reverses=reverses, **told | changed)


def coverage(contract_number: str = "C-1", year: int = 2026, **changed: Any) -> Coverage:
    told: dict[str, Any] = {
        "contract_name": "Confort",
        "amc_number": "0123456789",
        "agreement_type": "SP",
        "csr": "01",
        "responsible_contract": True,
        "valid_from": date(year, 1, 1),
        "valid_until": date(year, 12, 31),
        "guarantees": (),
    }
    return Coverage(contract_number=contract_number, **told | changed)


def enrolled(member: str = MEMBER, first_name: str = "Laure", **changed: Any) -> MemberEnrolled:
    told: dict[str, Any] = {
        "nir": NIR,
        "title": "MME",
        "last_name": "Dupont",
        "birth_date": date(1984, 5, 12),
        "postal_address": PostalAddress(lines=("12 RUE DES LILAS",), postal_code="69003", city="LYON", country="FR"),
        "beneficiaries": (beneficiary(1, first_name), beneficiary(2, "Hugo", nir=CHILDS_NIR, relation="child")),
        "coverage": coverage(),
    }
    return MemberEnrolled(member_number=member, first_name=first_name, **told | changed)


def beneficiary(rank: int, first_name: str, nir: Nir = NIR, relation: str = "insured") -> Beneficiary:
    return Beneficiary(
        rank=rank,
        first_name=first_name,
        last_name="Dupont",
        birth_date=date(1984, 5, 12),
        nir=nir,
        relation=relation,
    )


def updated(member: str = MEMBER, **changes: Any) -> MemberUpdated:
    return MemberUpdated(member_number=member, **changes)


def coverage_changed(new: Coverage, member: str = MEMBER) -> CoverageChanged:
    return CoverageChanged(member_number=member, coverage=new)


def ended(day: date, member: str = MEMBER) -> MembershipEnded:
    return MembershipEnded(member_number=member, ended_on=day)


def event(data: Any, second: int = 0, event_id: str | None = None) -> Event[Any]:
    """`data` announced that many seconds after noon."""
    return Event.of(data, id=event_id, time=at(second))


def grid(year: int = 2026) -> Coverage:
    """The grid and the footnotes of the user guide's card."""
    return simulated("C-1", "Confort", year)
