"""What the claims service stores: facts as events told them, each with the order that decides which one stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from shared.events.claims_payment import (
    Amounts,
    ClaimPaid,
    ClaimReceived,
    ClaimRefused,
    ClaimReversed,
    ClaimsPaymentEvent,
)
from shared.events.membership import Coverage
from shared.live import key

Order = tuple[datetime, str]
"""(`ce_time`, `ce_id`) of the event that set a field; only a larger pair overwrites it."""

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Fact(Generic[F]):
    """A value and the order of the event that set it."""

    order: Order
    value: F


C = TypeVar("C", bound=ClaimsPaymentEvent)


@dataclass(frozen=True, slots=True)
class Told(Fact[C]):
    """A fact of a claim; `json` is the event's data as it came, with what we do not read."""

    json: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A claim event as it is kept: whose it is by `key`, CloudEvents' `id`, `type` and `time`, the data as it came."""

    claim: str
    id: str
    type: str
    time: datetime
    json: str = field(repr=False)

    @classmethod
    def of(cls, fact: Told[Any]) -> "Kept":
        """The event that a fact is."""
        time, event_id = fact.order
        claim = key(fact.value.member_number, fact.value.claim_id)
        return cls(claim, event_id, type(fact.value).__name__, time, fact.json)


class Status(StrEnum):
    """received → paid | refused; refused → paid; paid → reversed. A reversal is a record of its own."""

    RECEIVED = "received"
    REFUSED = "refused"
    PAID = "paid"
    REVERSED = "reversed"
    REVERSAL = "reversal"


class Claim(NamedTuple):
    """All that is known of one claim, or of one reversal: the newest fact of each kind, in whatever order they came.

    `reversed_by` is the reversal that takes this claim back; `reversal` is set where this record is itself a reversal.
    """

    # A tuple, as are `Listing` and `Figures`: a frozen dataclass takes three times as long to make, for every claim.

    member_number: str
    claim_id: str
    received: Told[ClaimReceived] | None = None
    refused: Told[ClaimRefused] | None = None
    paid: Told[ClaimPaid] | None = None
    reversed_by: Told[ClaimReversed] | None = None
    reversal: Told[ClaimReversed] | None = None


class Figures(NamedTuple):
    """What a claim adds to the sums of a list, in integer cents.

    Those of a reversal are what it takes back, negative; all but its amount are None while its claim is unknown.
    """

    amount_cents: int
    spent_cents: int | None = None
    base_cents: int | None = None
    statutory_cents: int | None = None
    other_cents: int | None = None
    left_to_pay_cents: int | None = None


@dataclass(frozen=True, slots=True)
class DomainSums:
    """The lines of one domain added up; `deduction_cents`: what deductions recover from `statutory_cents`."""

    amounts: Amounts
    deduction_cents: int


class Listing(NamedTuple):
    """What lists are filtered, sorted and added up by, derived from a claim; dates are `YYYY-MM-DD`.

    `words` is what a search compares (`search.py`); no `figures` where nothing moved.
    """

    status: Status
    date: str
    beneficiary_rank: int | None
    domains: tuple[str, ...]
    words: tuple[str, ...]
    figures: Figures | None


@dataclass(frozen=True, slots=True)
class Reimbursement:
    """A claim as its member sees it; no first name until contract management has announced the beneficiary."""

    claim: Claim
    listing: Listing
    first_name: str | None


@dataclass(frozen=True, slots=True)
class ListTotals:
    """A whole filtered list added up, integer cents: reversals are subtracted where they are in it."""

    claim_count: int
    reimbursed_cents: int
    spent_cents: int
    left_to_pay_cents: int


@dataclass(frozen=True, slots=True)
class ReimbursementList:
    """Some of a filtered list, the sums of all of it, and whom its member's claims may be for: first names by rank."""

    claims: tuple[Reimbursement, ...]
    more: bool
    totals: ListTotals
    first_names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Payee:
    """Who was paid: the member, or a provider (third-party payment), by name."""

    payee: str
    payee_name: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentSum:
    """One payment as it concerns one member, added up over their claims of it; `paid_on` is `YYYY-MM-DD`.

    `amount_cents` is what was paid then; `taken_back_cents` (negative or 0) what reversals have taken back since.
    """

    payment_id: str
    paid_on: str
    amount_cents: int
    taken_back_cents: int
    claim_count: int
    payees: tuple[Payee, ...]


@dataclass(frozen=True, slots=True)
class PaymentAtRest:
    """A member's payment that may be announced; `rested`: since a claim of it last changed."""

    member_number: str
    payment_id: str
    paid_on: str
    claim_count: int
    rested: timedelta


@dataclass(frozen=True, slots=True)
class PaymentTotals:
    """All payments of a year, or of all years, added up; integer cents, with the signs of `PaymentSum`."""

    payment_count: int
    claim_count: int
    amount_cents: int
    taken_back_cents: int


@dataclass(frozen=True, slots=True)
class PaymentList:
    """Some of a member's payments, the sums of all that were asked for, and the years that have any, newest first."""

    payments: tuple[PaymentSum, ...]
    more: bool
    years: tuple[int, ...]
    totals: PaymentTotals


@dataclass(frozen=True, slots=True)
class PaidLines:
    """Lines of one member, domain and kind of payee, added up: those paid in one month and taken back in one, or not.

    Months are `YYYY-MM`; `taken_back` is empty for lines that stand. `deduction_cents`: what negative statutory parts
    recover. `claims` counts each claim once, with its first line; `claims_of_domain` counts it once in each of its
    domains, and `listed_*_cents` adds these claims up as lists show them: whole, with their acts of other domains.
    """

    month: str
    taken_back: str
    domain: str
    payee: str
    spent_cents: int
    statutory_cents: int
    complementary_cents: int
    other_cents: int
    deduction_cents: int
    claims: int
    claims_of_domain: int
    listed_amount_cents: int
    listed_spent_cents: int
    listed_left_to_pay_cents: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A payment with its claims: what the décompte shows."""

    member: "Member"
    payment: PaymentSum
    claims: tuple[Reimbursement, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A link by which a professional sees the member's card until `expires_at`; `token` is the link's secret.

    `opened`: how often the card was shown by it; `last_opened_at`: when it was last.
    """

    share_id: str
    member_number: str
    token: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    opened: int = 0
    last_opened_at: datetime | None = None


CoverageKey = tuple[str, str]
"""(`contract_number`, `valid_from` as `YYYY-MM-DD`): periods with different keys live side by side."""


@dataclass(frozen=True, slots=True)
class Member:
    """What cards and lists need of a member. NIRs are sealed, here as in the database.

    `facts` holds `insurer`, `title`, `first_name`, `last_name`, `birth_date`, `nir`, `beneficiaries` (a list of
    {rank, first_name, last_name, birth_date, nir, relation}) and `ended_on`; dates are `YYYY-MM-DD`.
    """

    member_number: str
    facts: Mapping[str, Fact[Any]] = field(default_factory=dict)
    coverages: Mapping[CoverageKey, Fact[Coverage]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        known = (self.facts[name].value for name in ("first_name", "last_name") if name in self.facts)
        return " ".join(known)

    def first_names(self) -> dict[int, str]:
        """First name of each beneficiary, by rank."""
        known = self.facts.get("beneficiaries")
        return {person["rank"]: person["first_name"] for person in known.value} if known else {}
