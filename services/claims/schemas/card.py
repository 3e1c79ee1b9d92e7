"""The third-party-payment card of a day."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from services.claims.card import DOMAINS, Card, Insured, footnotes
from services.claims.member_rules import nir_place
from services.claims.settings import ClaimsSettings
from shared import nir
from shared.nir import Nir

OpenNir = Callable[[str, str], Nir]
"""(sealed NIR, where it is kept) → the NIR."""


class Insurer(BaseModel):
    """Who stands behind the card, and how to reach them; `address` is lines."""

    name: str
    centre: str
    phone: str
    address: list[str]

    @classmethod
    def of(cls, settings: ClaimsSettings) -> "Insurer":
        """The brand and the management centre of these settings."""
        return cls(
            name=settings.brand_name,
            centre=settings.centre_name,
            phone=settings.centre_phone,
            address=[line.strip() for line in settings.centre_address.split(",")],
        )


class GridCell(BaseModel):
    """`operator`: SP, IS, OC or SP/OC; `notes`: the marks of the footnotes that `level` refers to."""

    operator: str
    level: str
    notes: list[str]

    @classmethod
    def row(cls, person: Insured) -> "list[GridCell | None]":
        """One person's cells."""
        return [
            cls(operator=cell.operator, level=cell.level, notes=list(cell.notes)) if cell else None
            for cell in person.cells
        ]


class CardBeneficiary(BaseModel):
    """One person on the card. `nir` is whole, with its key: it is the member's own card.

    `cells` has one entry for each of the card's `domains`, absent where the contract says nothing.
    """

    rank: int
    first_name: str
    last_name: str
    birth_date: dt.date
    nir: str
    cells: list[GridCell | None]


class Footnote(BaseModel):
    """`mark` stands in brackets in the grid."""

    mark: str
    text: str


class CardFace(BaseModel):
    """What stands on a card apart from its people.

    `operators` is the grid's row of operators, one for each of `domains`: absent where people have different ones, or
    nobody has any.
    """

    insurer: Insurer
    amc_number: str
    agreement_type: str
    csr: str
    member_number: str
    valid_from: dt.date
    valid_until: dt.date
    contract_number: str
    contract_name: str
    responsible_contract: bool
    domains: list[str]
    operators: list[str | None]
    footnotes: list[Footnote]

    @classmethod
    def face(cls, card: Card, insurer: Insurer) -> dict[str, Any]:
        """These fields of the card."""
        told = card.coverage
        return {
            "insurer": insurer,
            "amc_number": told.amc_number,
            "agreement_type": told.agreement_type,
            "csr": told.csr,
            "member_number": card.member_number,
            "valid_from": told.valid_from,
            "valid_until": card.valid_until,
            "contract_number": told.contract_number,
            "contract_name": told.contract_name,
            "responsible_contract": told.responsible_contract,
            "domains": list(DOMAINS),
            "operators": list(card.operators),
            "footnotes": [Footnote(mark=mark, text=text) for mark, text in footnotes(told)],
        }


class CardDetail(CardFace):
    """The member's own card in force on a day. `next_valid_from`: when the next one begins, if it is known."""

    beneficiaries: list[CardBeneficiary]
    next_valid_from: dt.date | None

    @classmethod
    def of(cls, card: Card, insurer: Insurer, open_nir: OpenNir) -> "CardDetail":
        """The card with its NIRs opened."""
        return cls(
            **cls.face(card, insurer),
            beneficiaries=[_beneficiary(person, card.member_number, open_nir) for person in card.insured],
            next_valid_from=card.next_valid_from,
        )


def _beneficiary(person: Insured, member_number: str, open_nir: OpenNir) -> CardBeneficiary:
    number = open_nir(person.nir, nir_place(member_number, person.rank))
    return CardBeneficiary(
        rank=person.rank,
        first_name=person.first_name,
        last_name=person.last_name,
        birth_date=dt.date.fromisoformat(person.birth_date),
        nir=number + nir.key(number),
        cells=GridCell.row(person),
    )
