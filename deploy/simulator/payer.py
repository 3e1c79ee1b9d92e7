"""Claims payment, simulated: turns visits into claims received, paid, refused and taken back."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from deploy.simulator import visits
from deploy.simulator.acts import Deduction
from deploy.simulator.chance import chance
from deploy.simulator.people import age
from deploy.simulator.visits import Bill
from shared.events.claims_payment import (
    ClaimLine,
    ClaimPaid,
    ClaimReceived,
    ClaimRefused,
    ClaimReversed,
    ClaimsPaymentEvent,
    Payment,
)
from shared.events.fields import Domain
from shared.events.membership import Beneficiary, MemberEnrolled

_REFUSALS: Final = (
    (
        "prescription_missing",
        "L'ordonnance n'est pas jointe à la facture.",
        "Envoyez l'ordonnance depuis votre espace, nous reprenons alors votre dossier.",
    ),
    (
        "invoice_unreadable",
        "La facture n'est pas lisible.",
        "Photographiez-la de nouveau, à plat et en pleine lumière, puis envoyez-la depuis votre espace.",
    ),
    (
        "statutory_statement_missing",
        "Le décompte de l'Assurance maladie n'est pas joint.",
        "Téléchargez-le sur votre compte ameli, puis envoyez-le depuis votre espace.",
    ),
    ("not_covered", "Ce soin n'est pas prévu par votre contrat.", None),
    ("yearly_limit_reached", "Le nombre de séances prévu par votre contrat pour l'année est atteint.", None),
)


_UNTIL_RECEIVED: Final = timedelta(days=3)
_UNTIL_PAID_AFTER_REFUSAL: Final = timedelta(days=9)
_UNTIL_TAKEN_BACK: Final = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event's data, and how long before the end of the visit's story it happens."""

    before: timedelta
    data: ClaimsPaymentEvent


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who was treated when, and the payment that carries what the member is paid for it."""

    member: MemberEnrolled
    person: Beneficiary
    care_date: date
    settled: datetime
    own_payment: Payment

    @property
    def adult(self) -> bool:
        return age(self.person.birth_date, self.care_date) >= 18


@dataclass(frozen=True, slots=True)
class _Owed:
    """A deduction that third-party payment could not keep back: recovered from the member's next own payment."""

    deduction: Deduction
    care_date: date
    domain: Domain
    cents: int


class Payer:
    """Pays visits in the order of time, and remembers for each beneficiary what is still to be recovered."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._owed: dict[tuple[str, int], list[_Owed]] = {}

    def visit(self, member: MemberEnrolled, at: datetime) -> list[Happening]:
        """What happens about one visit, in the order of time, the last at `at`. One payment pays the member."""
        rng = self._rng
        person = rng.choice(member.beneficiaries)
        care_date = at.date() - timedelta(days=rng.randint(16, 28))
        visit = _Visit(member, person, care_date, at, self._payment(at))
        bills = visits.draw(rng, adult=visit.adult, woman=person.nir.startswith("2"))
        happenings = [happening for bill in bills for happening in self._settle(visit, bill)]
        return sorted(happenings, key=lambda happening: happening.before, reverse=True)

    def _settle(self, visit: _Visit, bill: Bill) -> list[Happening]:
        rng = self._rng
        third_party = rng.randrange(100) < bill.third_party_percent
        fate = rng.random()
        if fate < 0.05 and not third_party:
            story = self._refused(visit, bill)
        elif fate > 0.98:
            story = self._taken_back(visit, bill, third_party=third_party)
        else:
            story = [Happening(timedelta(), self._paid(visit, bill, third_party=third_party))]
        if isinstance(story[0].data, ClaimRefused) or rng.randrange(100) < max(bill.on_paper_percent, 15):
            story.insert(0, _received(visit, bill, story[0]))
        return story

    def _refused(self, visit: _Visit, bill: Bill) -> list[Happening]:
        """Refused, and in some cases paid once the missing paper has come."""
        code, reason, remedy = self._rng.choice(_REFUSALS)
        paid_later = remedy is not None and self._rng.random() < 0.5
        before = _UNTIL_PAID_AFTER_REFUSAL if paid_later else timedelta()
        refusal = ClaimRefused(
            member_number=visit.member.member_number,
            claim_id=self._number("R", visit.settled - before),
            beneficiary_rank=visit.person.rank,
            refused_on=(visit.settled - before).date(),
            reason_code=code,
            reason=reason,
            what_to_do=remedy,
        )
        story = [Happening(before, refusal)]
        if paid_later:
            paid = self._paid(visit, bill, third_party=False)
            story.append(Happening(timedelta(), paid.model_copy(update={"claim_id": refusal.claim_id})))
        return story

    def _taken_back(self, visit: _Visit, bill: Bill, *, third_party: bool) -> list[Happening]:
        """Paid some days earlier, by a payment of its own, and taken back."""
        paid_at = visit.settled - _UNTIL_TAKEN_BACK
        earlier = replace(visit, settled=paid_at, own_payment=self._payment(paid_at))
        paid = self._paid(earlier, bill, third_party=third_party)
        if paid.amount_cents <= 0:
            return [Happening(_UNTIL_TAKEN_BACK, paid)]
        reversal = ClaimReversed(
            member_number=paid.member_number,
            claim_id=self._number("R", visit.settled),
            reverses=paid.claim_id,
            reversed_on=visit.settled.date(),
            amount_cents=-paid.amount_cents,
            reason="La facture avait déjà été remboursée.",
        )
        return [Happening(_UNTIL_TAKEN_BACK, paid), Happening(timedelta(), reversal)]

    def _paid(self, visit: _Visit, bill: Bill, *, third_party: bool) -> ClaimPaid:
        lines, payment = self._to_provider(visit, bill) if third_party else self._to_member(visit, bill)
        return ClaimPaid(
            member_number=visit.member.member_number,
            claim_id=self._number("R", visit.settled),
            beneficiary_rank=visit.person.rank,
            amount_cents=sum(line.complementary_cents for line in lines),
            payment=payment,
            lines=tuple(lines),
        )

    def _to_provider(self, visit: _Visit, bill: Bill) -> tuple[list[ClaimLine], Payment]:
        lines = self._lines(visit, bill, kept_back=False)
        if visit.adult:
            self._owed_by(visit).extend(_deductions(bill, lines))
        return lines, _providers_payment(self._rng.choice(bill.professionals), visit.settled)

    def _to_member(self, visit: _Visit, bill: Bill) -> tuple[list[ClaimLine], Payment]:
        lines = self._lines(visit, bill, kept_back=visit.adult)
        owed = self._owed_by(visit)
        older = [one for one in owed if one.care_date < visit.care_date]
        owed[:] = [one for one in owed if one.care_date >= visit.care_date]
        lines += [_recovered(one, number) for number, one in enumerate(older, start=len(lines) + 1)]
        return lines, visit.own_payment

    def _lines(self, visit: _Visit, bill: Bill, *, kept_back: bool) -> list[ClaimLine]:
        return [
            act.line(self._rng, number, visit.care_date, kept_back=kept_back)
            for number, act in enumerate(bill.acts, start=1)
        ]

    def _owed_by(self, visit: _Visit) -> list[_Owed]:
        return self._owed.setdefault((visit.member.member_number, visit.person.rank), [])

    def _payment(self, at: datetime) -> Payment:
        return Payment(payment_id=self._number("P", at), paid_on=at.date(), payee="member")

    def _number(self, prefix: str, at: datetime) -> str:
        return f"{prefix}-{at.year}-{self._rng.randrange(16**10):010X}"


def _received(visit: _Visit, bill: Bill, answer: Happening) -> Happening:
    before = answer.before + _UNTIL_RECEIVED
    data = ClaimReceived(
        member_number=visit.member.member_number,
        claim_id=answer.data.claim_id,
        beneficiary_rank=visit.person.rank,
        received_on=(visit.settled - before).date(),
        label=bill.label,
    )
    return Happening(before, data)


def _providers_payment(provider: str, at: datetime) -> Payment:
    """A provider is paid once a day, for all the members it treated."""
    number = chance("payment", provider, at.date()).randrange(16**10)
    return Payment(payment_id=f"P-{at.year}-{number:010X}", paid_on=at.date(), payee="provider", payee_name=provider)


def _deductions(bill: Bill, lines: list[ClaimLine]) -> list[_Owed]:
    return [
        _Owed(act.deduction, line.care_date, line.domain, act.deduction.cents * line.quantity)
        for act, line in zip(bill.acts, lines, strict=True)
        if act.deduction
    ]


def _recovered(owed: _Owed, number: int) -> ClaimLine:
    return ClaimLine(
        line=number,
        care_date=owed.care_date,
        act_code=owed.deduction.code,
        act_label=owed.deduction.label,
        domain=owed.domain,
        quantity=1,
        spent_cents=0,
        base_cents=0,
        statutory_cents=-owed.cents,
        complementary_cents=0,
        other_cents=0,
    )
