"""claims.v1: what claims payment publishes about a member's claims. Money in integer euro cents."""

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from shared.events.base import Contract, EventData
from shared.events.fields import MAX_CENTS, MIN_CENTS, Cents, Code, DocumentIds, Domain, Id, Line, Rank, Text, broken


class ClaimsPaymentEvent(EventData):
    topic: ClassVar[str] = "claims.v1"
    source: ClassVar[str] = "/claims-payment"

    claim_id: Id


class Payment(Contract):
    """The transfer that carried the money; several claims of a member may share one `payment_id`."""

    payment_id: Id
    paid_on: date
    payee: Literal["member", "provider"]
    payee_name: Line | None = None

    @model_validator(mode="after")
    def _names_the_provider(self) -> Self:
        if self.payee == "provider" and self.payee_name is None:
            raise broken("required_for_provider", "payee_name", "Required when the payee is a provider")
        return self


class ClaimLine(Contract):
    """One act. `statutory_cents` (AMO) is negative where a participation or franchise is recovered later."""

    line: Annotated[int, Field(ge=1, le=9999)]
    care_date: date
    act_code: Code
    act_label: Line
    domain: Domain
    quantity: Annotated[int, Field(ge=0, le=1_000_000)]
    spent_cents: Cents
    base_cents: Cents
    statutory_cents: Cents
    complementary_cents: Cents
    other_cents: Cents

    @property
    def left_to_pay_cents(self) -> int:
        """What the member pays themselves; negative: overpaid."""
        return self.spent_cents - self.statutory_cents - self.complementary_cents - self.other_cents


class Amounts(NamedTuple):
    """The money of acts added up: integer cents."""

    spent_cents: int = 0
    base_cents: int = 0
    statutory_cents: int = 0
    complementary_cents: int = 0
    other_cents: int = 0

    @property
    def left_to_pay_cents(self) -> int:
        """What the member pays themselves for all of them."""
        return self.spent_cents - self.statutory_cents - self.complementary_cents - self.other_cents


def added_up(lines: Iterable[ClaimLine]) -> Amounts:
    """The sums of these lines."""
    spent = base = statutory = complementary = other = 0
    for line in lines:
        spent += line.spent_cents
        base += line.base_cents
        statutory += line.statutory_cents
        complementary += line.complementary_cents
        other += line.other_cents
    return Amounts(spent, base, statutory, complementary, other)


class ClaimReceived(ClaimsPaymentEvent):
    beneficiary_rank: Rank
    received_on: date
    label: Line | None = None
    document_ids: DocumentIds = ()


class ClaimPaid(ClaimsPaymentEvent):
    """`amount_cents` is what we paid: the sum of the lines' complementary parts (AMC)."""

    beneficiary_rank: Rank
    amount_cents: Cents
    payment: Payment
    lines: Annotated[tuple[ClaimLine, ...], Field(min_length=1, max_length=500)]
    document_ids: DocumentIds = ()

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = self.total
        if self.amount_cents != total.complementary_cents:
            raise broken("sum_mismatch", "amount_cents", "Should be the sum of the lines' complementary_cents")
        computed = [*total, total.left_to_pay_cents]
        if len(self.lines) > 1:  # what is left of one line is left of all
            computed += [line.left_to_pay_cents for line in self.lines]
        if min(computed) < MIN_CENTS or max(computed) > MAX_CENTS:
            raise broken("sum_out_of_range", "lines", "What is computed from the lines should fit in 64 bits")
        return self

    @cached_property
    def total(self) -> Amounts:
        """The sums of all lines: they are added up once, whoever asks."""
        return added_up(self.lines)

    @property
    def left_to_pay_cents(self) -> int:
        """What the member pays themselves for all lines."""
        return self.total.left_to_pay_cents


class ClaimRefused(ClaimsPaymentEvent):
    """`reason` and `what_to_do` are shown to the member."""

    beneficiary_rank: Rank
    refused_on: date
    reason_code: Code
    reason: Text
    what_to_do: Text | None = None
    document_ids: DocumentIds = ()


class ClaimReversed(ClaimsPaymentEvent):
    """Takes the claim `reverses` back, whole. `claim_id` is the reversal's own."""

    reverses: Id
    reversed_on: date
    amount_cents: Annotated[Cents, Field(lt=0)]
    reason: Text

    @model_validator(mode="after")
    def _reverses_another_claim(self) -> Self:
        if self.reverses == self.claim_id:
            raise broken("reverses_itself", "reverses", "Should be another claim than claim_id")
        return self
