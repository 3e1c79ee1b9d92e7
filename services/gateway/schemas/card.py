"""claims' answers about the card and the payments."""

from datetime import date, datetime
from typing import Literal

from services.gateway.schemas.wire import Wire


class Insurer(Wire):
    """Who stands behind the card."""

    name: str


class Cell(Wire):
    """`operator`: who pays the professional; `level`: what is paid, or references to footnotes."""

    operator: str
    level: str


class Beneficiary(Wire):
    """`nir` is whole, with its key; `cells` in the order of the card's `domains`."""

    rank: int
    first_name: str
    last_name: str
    birth_date: date
    nir: str
    cells: tuple[Cell | None, ...]


class Footnote(Wire):
    """`mark` stands in brackets in the grid."""

    mark: str
    text: str


class Face(Wire):
    """What stands on a card apart from its people; `operators`: of each domain, where it is the same for everybody."""

    insurer: Insurer
    amc_number: str
    agreement_type: str
    csr: str
    member_number: str
    valid_from: date
    valid_until: date
    contract_name: str
    responsible_contract: bool
    domains: tuple[str, ...]
    operators: tuple[str | None, ...] = ()
    footnotes: tuple[Footnote, ...]


class Card(Face):
    """The third-party-payment card in force on a day; `next_valid_from`: when the next one begins."""

    beneficiaries: tuple[Beneficiary, ...]
    next_valid_from: date | None = None


class MaskedBeneficiary(Wire):
    """The same person as others may see them."""

    rank: int
    first_name: str
    last_name: str
    birth_date: date
    nir_masked: str
    cells: tuple[Cell | None, ...]


class SharedCard(Face):
    """The card of today as its member shares it until `expires_at`."""

    beneficiaries: tuple[MaskedBeneficiary, ...]
    expires_at: datetime


class ShareState(Wire):
    """A link that is good until then."""

    expires_at: datetime


class Share(Wire):
    """One of the member's links; `opened`: how often somebody looked at the card by it."""

    id: str
    url: str
    expires_at: datetime
    opened: int
    last_opened_at: datetime | None = None


class Shares(Wire):
    """All that are open, newest first."""

    items: tuple[Share, ...]


class NoCard(Wire):
    """Why there is none, as far as it is known."""

    next_valid_from: date | None = None
    ended_on: date | None = None


class Payee(Wire):
    """`payee_name` says which provider was paid (third-party payment)."""

    payee: Literal["member", "provider"]
    payee_name: str | None = None


class Payment(Wire):
    """One payment, with a statement. `taken_back_cents`: what was taken back of it since, negative or 0."""

    payment_id: str
    paid_on: date
    amount_cents: int
    taken_back_cents: int = 0
    claim_count: int
    payees: tuple[Payee, ...]


class SumOfPayments(Wire):
    """All payments of the year asked for, added up; integer euro cents."""

    payment_count: int = 0
    amount_cents: int = 0
    taken_back_cents: int = 0


class PaymentPage(Wire):
    """Newest first. `next_cursor` is absent on the last page; `years` are those that have payments, newest first."""

    items: tuple[Payment, ...]
    next_cursor: str | None = None
    years: tuple[int, ...] = ()
    totals: SumOfPayments = SumOfPayments()
