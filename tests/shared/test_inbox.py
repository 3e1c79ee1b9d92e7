"""Rows of the log read again as the events they were."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared import inbox
from shared.events.claims_payment import ClaimReceived
from shared.events.record import InvalidRecord

DATA = {
    "member_number": "12345678",
    "claim_id": "R-1",
    "beneficiary_rank": 1,
    "received_on": "2026-11-10",
    "label": None,
    "document_ids": [],
}
ROW: dict[str, Any] = {
    "_id": "/claims-payment|an|id",
    "member_number": "12345678",
    "type": "ClaimReceived",
    "time": datetime(2026, 11, 20, 12, tzinfo=UTC),
}
JSON = b'{"member_number":"12345678","claim_id":"R-1","beneficiary_rank":1,"received_on":"2026-11-10","more":1}'


@pytest.mark.parametrize(
    "kept", [{"data": DATA}, {"json": JSON}, {"json": JSON.decode()}], ids=["data", "json", "text"]
)
def test_an_event_is_read_back_whichever_way_it_was_kept(kept: dict[str, Any]) -> None:
    event = inbox.logged(ROW | kept)
    assert inbox.event_key(event) == ROW["_id"]
    assert (event.source, event.id, event.type, event.time) == (
        "/claims-payment",
        "an|id",
        "ClaimReceived",
        ROW["time"],
    )
    assert isinstance(event.data, ClaimReceived)
    assert (event.data.claim_id, event.data.received_on.isoformat(), event.data.label) == ("R-1", "2026-11-10", None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW | {"data": DATA | {"beneficiary_rank": "1"}}, "data_invalid: beneficiary_rank int_type"),
        (ROW | {"type": "ClaimForgotten", "data": DATA}, "unknown_type"),
        ({"_id": ROW["_id"], "at": ROW["time"]}, "value_absent"),
    ],
)
def test_what_cannot_be_read_any_more_is_said_without_its_values(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        inbox.logged(row)
    assert refused.value.reason == reason


def test_the_log_of_a_publisher_is_its_own() -> None:
    bounds = inbox.log_of("/claims-payment")["_id"]
    for row, within in [
        (ROW["_id"], True),
        ("/claims-payment|~", True),
        ("/claims-payments|1", False),
        ("/auth|1", False),
    ]:
        assert (bounds["$gt"] < row < bounds["$lt"]) is within
