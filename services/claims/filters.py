"""What the filtered list, its files, and whoever asks for them have in common: the query's parameters."""

import datetime as dt
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import Field

from services.claims.models import Status
from services.claims.store.queries import Filter
from shared.errors import FieldError, Invalid
from shared.events.fields import Domain

FIRST_DAY: Final = dt.date(1900, 1, 1)
LAST_DAY: Final = dt.date(2100, 12, 31)

Day = Annotated[dt.date, Field(ge=FIRST_DAY, le=LAST_DAY)]


async def _filter(
    *,
    first_day: Annotated[Day | None, Query(alias="from")] = None,
    last_day: Annotated[Day | None, Query(alias="to")] = None,
    beneficiary: Annotated[int | None, Query(ge=1, le=99)] = None,
    status: Status | None = None,
    domain: Domain | None = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    claim_id: Annotated[str | None, Query(max_length=200)] = None,
    document_id: Annotated[str | None, Query(max_length=200)] = None,
) -> Filter:
    """`from` and `to` are days of the list's `date`, both included; `claim_id`: whether that one is in the list.

    `document_id`: the claims that name that document.
    """
    if first_day and last_day and first_day > last_day:
        raise Invalid(errors=[FieldError("to", "before_from", "Should not be before from")])
    return Filter(
        first_day=first_day.isoformat() if first_day else None,
        last_day=last_day.isoformat() if last_day else None,
        beneficiary_rank=beneficiary,
        status=status,
        domain=domain,
        text=q,
        claim_id=claim_id,
        document_id=document_id,
    )


Which = Annotated[Filter, Depends(_filter)]
