"""What the internal systems tell of the member who has everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.e2e.outside import claim_paid, line

Told = tuple[str, Mapping[str, Any]]

REFUSAL = {
    "refused_on": "2026-11-19",
    "reason_code": "missing_prescription",
    "reason": "Il manque l’ordonnance.",
    "what_to_do": "Envoyez-nous l’ordonnance du médecin : nous reprendrons votre demande aussitôt.",
}
REVERSAL = {
    "reverses": "R-reversed",
    "reversed_on": "2026-11-21",
    "amount_cents": -1450,
    "reason": "Payé deux fois",
}
PROVIDER = {"payment_id": "P-1", "paid_on": "2026-10-30", "payee": "provider", "payee_name": "Pharmacie du Parc"}


def claims(member_number: str) -> Sequence[Told]:
    """A claim in each state, `R-received` … `R-overpaid`, and more than a page of paid ones; the last is `R-last`.

    2025 has nothing but what was taken back of the year before.
    """
    whose = {"member_number": member_number, "beneficiary_rank": 1}
    with_deduction = [
        line(1, "G", "Consultation généraliste", "MED", spent=123450, statutory=122000, complementary=1450),
        line(2, "PF", "Participation forfaitaire", "MED", spent=0, statutory=-200, complementary=0),
    ]
    too_much = [line(1, "LUN", "Verres progressifs", "OPTI", spent=20000, statutory=9, complementary=20991)]
    shared = line(1, "HBLD", "Couronne céramo-métallique", "DEPR", spent=53000, statutory=7525, complementary=20000)
    older = {"payment_id": "P-2", "paid_on": "2026-09-04", "payee": "member"}
    crown = {
        "lines": [shared],
        "amount_cents": 20000,
        "payment": older | {"payment_id": "P-3", "paid_on": "2024-12-30"},
    }
    annulled = {"reverses": "R-old", "reversed_on": "2025-01-12", "amount_cents": -20000, "reason": "Devis refusé"}
    return [
        *[("ClaimPaid", paid(member_number, f"R-{n:02d}", payment=older)) for n in range(16)],
        ("ClaimReceived", whose | {"claim_id": "R-received", "received_on": "2026-11-22", "label": "Lunettes"}),
        ("ClaimRefused", whose | {"claim_id": "R-refused"} | REFUSAL),
        ("ClaimPaid", paid(member_number, "R-paid")),
        ("ClaimPaid", paid(member_number, "R-provider", payment=PROVIDER)),
        ("ClaimPaid", paid(member_number, "R-deducted", lines=with_deduction)),
        ("ClaimPaid", paid(member_number, "R-overpaid", lines=too_much, amount_cents=20991)),
        ("ClaimPaid", paid(member_number, "R-others", lines=[shared | {"other_cents": 1000}], amount_cents=20000)),
        ("ClaimPaid", paid(member_number, "R-unknown", beneficiary_rank=3)),
        ("ClaimPaid", paid(member_number, "R-reversed")),
        ("ClaimReversed", REVERSAL | {"member_number": member_number, "claim_id": "R-reversal"}),
        ("ClaimPaid", paid(member_number, "R-old", **crown)),
        ("ClaimReversed", annulled | {"member_number": member_number, "claim_id": "R-old-reversal"}),
        ("ClaimPaid", paid(member_number, "R-last", payment=older)),
    ]


def paid(member_number: str, claim_id: str, **changes: Any) -> dict[str, Any]:
    """A `ClaimPaid`; `changes` replaces fields."""
    return claim_paid(member_number) | {"claim_id": claim_id} | changes
