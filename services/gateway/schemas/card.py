"""claims' answers about the card and the payments."""

from datetime import date
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


class Card(Wire):
    """The third-party-payment card in force on a day; `next_valid_from`: when the next one begins."""

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
    beneficiaries: tuple[Beneficiary, ...]
    footnotes: tuple[Footnote, ...]
    next_valid_from: date | None = None


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


class PaymentPage(Wire):
    """Newest first. `next_cursor` is absent on the last page."""

    items: tuple[Payment, ...]
    next_cursor: str | None = None
