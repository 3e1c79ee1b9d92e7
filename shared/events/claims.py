"""reimbursements.v1: what the claims service publishes."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.base import EventData
from shared.events.fields import Id


class ClaimsEvent(EventData):
    topic: ClassVar[str] = "reimbursements.v1"
    source: ClassVar[str] = "/claims"


class StatementReady(ClaimsEvent):
    """Once per member and payment, when the payment has come to rest."""

    payment_id: Id
    paid_on: date
    claim_count: Annotated[int, Field(ge=1, le=1_000_000)]


class CardRenewed(ClaimsEvent):
    valid_from: date
