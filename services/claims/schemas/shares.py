"""A card that is shared: the link as its member sees it, and the card as whoever has the link does."""

import datetime as dt

from pydantic import BaseModel, Field

from services.claims.card import Card, Insured
from services.claims.member_rules import nir_place
from services.claims.models import Share
from services.claims.schemas.card import CardFace, GridCell, Insurer, OpenNir
from shared import nir
from shared.settings import Origin


class ShareItem(BaseModel):
    """An open link. `opened`: how often the card was shown by it; whoever has `url` may open it until `expires_at`."""

    id: str
    url: str
    created_at: dt.datetime
    expires_at: dt.datetime
    opened: int
    last_opened_at: dt.datetime | None

    @classmethod
    def of(cls, share: Share, portal: Origin) -> "ShareItem":
        """`share` of the portal at that address."""
        return cls(
            id=share.share_id,
            url=f"{portal}/carte-partagee/{share.token}",
            created_at=share.created_at,
            expires_at=share.expires_at,
            opened=share.opened,
            last_opened_at=share.last_opened_at,
        )


class ShareList(BaseModel):
    """All there are, newest first."""

    items: list[ShareItem]


class SharedToken(BaseModel):
    """What stands at the end of a link."""

    token: str = Field(max_length=200, repr=False)


class ShareState(BaseModel):
    """A link that is good until then."""

    expires_at: dt.datetime


class MaskedBeneficiary(BaseModel):
    """One person on the card; of `nir_masked` only sex and year of birth are to be read."""

    rank: int
    first_name: str
    last_name: str
    birth_date: dt.date
    nir_masked: str
    cells: list[GridCell | None]


class SharedCardDetail(CardFace):
    """The card in force today, as its member shares it until `expires_at`."""

    beneficiaries: list[MaskedBeneficiary]
    expires_at: dt.datetime

    @classmethod
    def shared(cls, card: Card, insurer: Insurer, open_nir: OpenNir, share: Share) -> "SharedCardDetail":
        """The card with its NIRs masked."""
        return cls(
            **cls.face(card, insurer),
            beneficiaries=[_masked(person, card.member_number, open_nir) for person in card.insured],
            expires_at=share.expires_at,
        )


def _masked(person: Insured, member_number: str, open_nir: OpenNir) -> MaskedBeneficiary:
    return MaskedBeneficiary(
        rank=person.rank,
        first_name=person.first_name,
        last_name=person.last_name,
        birth_date=dt.date.fromisoformat(person.birth_date),
        nir_masked=nir.masked(open_nir(person.nir, nir_place(member_number, person.rank))),
        cells=GridCell.row(person),
    )
