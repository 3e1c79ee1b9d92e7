"""Events read again as they were kept."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.claims.models import Kept
from services.claims.store.kept import event_of, superseded_of, superseded_row
from shared.events.claims_payment import ClaimReceived
from shared.events.record import InvalidRecord

JSON = '{"member_number":"12345678","claim_id":"R-1","beneficiary_rank":1,"received_on":"2026-11-10","more":1}'
KEPT = Kept("12345678/R-1", "an-id", "ClaimReceived", datetime(2026, 11, 20, 12, tzinfo=UTC), JSON)


def test_an_event_is_read_back_as_it_came() -> None:
    event = event_of(superseded_of(superseded_row(KEPT)))
    assert (event.id, event.source, event.type, event.time) == ("an-id", "/claims-payment", "ClaimReceived", KEPT.time)
    assert isinstance(event.data, ClaimReceived)
    assert (event.data.claim_id, event.data.received_on.isoformat(), event.data.label) == ("R-1", "2026-11-10", None)
    assert event.json == JSON.encode()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"json": JSON.replace('"beneficiary_rank":1', '"beneficiary_rank":"1"')},
            "data_invalid: beneficiary_rank int_type",
        ),
        ({"json": "{"}, "json_invalid"),
        ({"type": "ClaimForgotten"}, "unknown_type"),
    ],
)
def test_what_cannot_be_read_any_more_is_said_without_its_values(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        event_of(replace(KEPT, **changed))
    assert refused.value.reason == reason


def test_what_an_event_said_is_not_shown_by_a_repr() -> None:
    assert "2026-11-10" not in repr(KEPT)
