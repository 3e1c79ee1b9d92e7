"""Claim events as they are kept, whole and for good: the standing ones in their claims, the others beside them."""

from collections.abc import Mapping
from typing import cast

from services.claims.models import Kept
from services.claims.rules import ClaimEvent
from shared.events.base import Event, EventData
from shared.events.catalogue import CATALOGUE
from shared.events.claims_payment import (
    ClaimPaid,
    ClaimReceived,
    ClaimRefused,
    ClaimReversed,
    ClaimsPaymentEvent,
)
from shared.events.record import InvalidRecord, parse_data
from shared.live import parts
from shared.mongo import Document

FACTS: Mapping[str, type[ClaimsPaymentEvent]] = {
    "received": ClaimReceived,
    "refused": ClaimRefused,
    "paid": ClaimPaid,
    "reversed_by": ClaimReversed,
    "reversal": ClaimReversed,
}
"""The facts of a claim, by the names of its fields."""
_CONTRACTS: Mapping[str, type[EventData]] = CATALOGUE[ClaimsPaymentEvent.topic]


def kept(row: Document) -> list[Kept]:
    """The events that a claim's row is of; what takes the claim back has a row of its own."""
    return [event for name, event in facts_kept(row).items() if name != "reversed_by"]


def facts_kept(row: Document) -> dict[str, Kept]:
    """By the fact's name every event in a claim's row."""
    return {name: _kept(row, FACTS[name], told) for name, told in row["told"].items()}


def _kept(row: Document, contract: type[ClaimsPaymentEvent], told: Document) -> Kept:
    return Kept(row["_id"], told["id"], contract.__name__, told["time"], told["json"])


def superseded_row(event: Kept) -> Document:
    """An event that stands in no claim, as it is stored."""
    return {
        "_id": event.id,
        "member_number": parts(event.claim)[0],
        "claim": event.claim,
        "type": event.type,
        "time": event.time,
        "json": event.json,
    }


def superseded_of(row: Document) -> Kept:
    """Back from `superseded_row`."""
    return Kept(row["claim"], row["_id"], row["type"], row["time"], row["json"])


def event_of(event: Kept) -> Event[ClaimEvent]:
    """The event itself, checked against today's contract. Raises InvalidRecord."""
    contract = _CONTRACTS.get(event.type)
    if contract is None:
        raise InvalidRecord("unknown_type")
    json = event.json.encode()
    data = cast(ClaimEvent, parse_data(contract, json))  # this topic's contracts are no others
    return Event(event.id, contract.source, event.type, event.time, data, json=json)
