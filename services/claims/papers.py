"""The card, statements and lists on paper, as PDF/UA-1: their words are in the templates, their figures the API's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from services.claims import card, rules
from services.claims.french import DOMAINS, STATUSES, person_name
from services.claims.models import Figures, Member, Reimbursement
from services.claims.schemas.card import CardBeneficiary, CardDetail, Insurer
from services.claims.schemas.payments import StatementDetail
from services.claims.schemas.reimbursements import LineDetail, ReimbursementDetail, Totals
from services.claims.settings import ClaimsSettings
from services.claims.store.queries import Filter
from shared import nir
from shared.formats import amount, long_day
from shared.typesetting import Typesetter

_TEMPLATES: Final = Path(__file__).parent / "templates"
_COLUMNS: Final = (
    "spent_cents",
    "base_cents",
    "statutory_cents",
    "complementary_cents",
    "other_cents",
    "left_to_pay_cents",
)
_FIGURES: Final = Figures._fields


class Papers:
    """Prints with the brand and the management centre of these settings."""

    def __init__(self, settings: ClaimsSettings, typesetter: Typesetter) -> None:
        self.insurer: Final = Insurer.of(settings)
        self._typesetter = typesetter

    async def card(self, detail: CardDetail) -> bytes:
        """The card on one A4 sheet; very large families go on on a second one."""
        data = detail.model_dump(mode="json") | {
            "valid_from": long_day(detail.valid_from),
            "valid_until": long_day(detail.valid_until),
            "beneficiaries": [_person(person) for person in detail.beneficiaries],
        }
        return await self._typesetter.pdf(_TEMPLATES / "card.typ", {"card": data}, _midnight(card.today()))

    async def statement(self, detail: StatementDetail) -> bytes:
        """The statement of one payment; long ones go on over pages with the table's head repeated."""
        payment = detail.payment
        data = {
            "insurer": self.insurer.model_dump(),
            "member": {"number": detail.member_number, "name": f"{detail.first_name} {detail.last_name}".strip()},
            "payment_id": payment.payment_id,
            "paid_on": long_day(payment.paid_on),
            "amount": amount(payment.amount_cents),
            "payees": [payee.payee_name or "" for payee in payment.payees],
            "claims": [_claim(claim) for claim in detail.claims],
            "totals": _money(detail.totals),
            "others": any(claim.totals and claim.totals.other_cents for claim in detail.claims),
            "deduction": amount(detail.totals.deduction_cents) if detail.totals.deduction_cents else None,
            "taken_back": amount(payment.taken_back_cents) if payment.taken_back_cents else None,
            "remaining": amount(payment.amount_cents + payment.taken_back_cents),
        }
        return await self._typesetter.pdf(_TEMPLATES / "statement.typ", {"statement": data}, _midnight(payment.paid_on))

    async def reimbursements(self, member: Member, which: Filter, claims: Sequence[Reimbursement]) -> bytes:
        """A filtered list, with what it was filtered by; long ones go on over pages with the table's head repeated."""
        moved = [claim.listing.figures for claim in claims if claim.listing.figures]
        sums = {name: sum(getattr(figures, name) or 0 for figures in moved) for name in _FIGURES}
        data = {
            "insurer": self.insurer.model_dump(),
            "member": {"number": member.member_number, "name": member.name},
            "day": long_day(card.today()),
            "filter": [{"name": name, "value": value} for name, value in _in_words(which, member)],
            "count": f"{len(claims)} remboursements" if len(claims) > 1 else f"{len(claims)} remboursement",
            "claims": [_listed(claim) for claim in claims],
            "totals": _figures(Figures(**sums)),
            "others": sums["other_cents"] != 0,
        }
        return await self._typesetter.pdf(_TEMPLATES / "reimbursements.typ", {"list": data}, _midnight(card.today()))


def _in_words(which: Filter, member: Member) -> Iterator[tuple[str, str]]:
    """What a list is filtered by: (name, value)."""
    if which.first_day or which.last_day:
        yield "Période", _period(which.first_day, which.last_day)
    if rank := which.beneficiary_rank:
        yield "Bénéficiaire", person_name(rank, member.first_names().get(rank))
    if which.status:
        yield "Statut", STATUSES[which.status]
    if which.domain:
        yield "Domaine", DOMAINS[which.domain]
    if which.text and not which.text.isspace():
        yield "Recherche", which.text.strip()


def _period(first_day: str | None, last_day: str | None) -> str:
    first = f"du {long_day(date.fromisoformat(first_day))}" if first_day else ""
    last = f"jusqu’au {long_day(date.fromisoformat(last_day))}" if last_day else ""
    if first and last:
        return f"{first} {last.replace('jusqu’', '')}"
    return first.replace("du", "à partir du", 1) or last


def _listed(reimbursement: Reimbursement) -> dict[str, str]:
    claim, listing = reimbursement.claim, reimbursement.listing
    payee = claim.paid.value.payment.payee_name if claim.paid else None
    domain = DOMAINS[listing.domains[0]] if listing.domains else "Remboursement"
    whose = person_name(listing.beneficiary_rank, reimbursement.first_name)
    told = (whose, STATUSES[listing.status], payee and f"payé à {payee}", claim.claim_id)
    return {
        "day": date.fromisoformat(listing.date).strftime("%d/%m/%Y"),
        "name": rules.label(claim) or domain,
        "how": " · ".join(text for text in told if text),
        **_figures(listing.figures),
    }


def _figures(figures: Figures | None) -> dict[str, str]:
    """Each column in words, empty where there is nothing to say."""
    cents = {name: getattr(figures, name, None) for name in _FIGURES}
    return {name.removesuffix("_cents"): "" if value is None else amount(value) for name, value in cents.items()}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _person(person: CardBeneficiary) -> dict[str, Any]:
    return person.model_dump() | {
        "birth_date": person.birth_date.strftime("%d/%m/%Y"),
        "nir": nir.grouped(nir.normalise(person.nir)),
    }


def _claim(claim: ReimbursementDetail) -> dict[str, Any]:
    reversal = claim.reversal
    return {
        "claim_id": claim.claim_id,
        "beneficiary": person_name(claim.beneficiary.rank, claim.beneficiary.first_name) if claim.beneficiary else "",
        "payee_name": claim.payment.payee_name if claim.payment else None,
        "lines": [_line(line) for line in claim.lines],
        "reversal": {
            "day": long_day(reversal.reversed_on),
            "reason": reversal.reason,
            "amount": amount(reversal.amount_cents),
        }
        if reversal
        else None,
    }


def _line(line: LineDetail) -> dict[str, Any]:
    return {
        "act": line.act_label if line.quantity == 1 else f"{line.act_label} × {line.quantity}",
        "day": long_day(line.care_date),
        "deduction": line.deduction_cents > 0,
        **_money(line),
    }


def _money(sums: LineDetail | Totals) -> dict[str, str]:
    return {name.removesuffix("_cents"): amount(getattr(sums, name)) for name in _COLUMNS}
