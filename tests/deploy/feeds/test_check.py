"""A feed file before anything of it is published: what is right, and what is said of what is wrong."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.cli import examples
from deploy.cli.feeds import check, table
from deploy.cli.feeds.check import Checked
from deploy.cli.feeds.parts import InvalidFeed
from shared.events.claims_payment import ClaimPaid, ClaimReversed

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
HEAD = {"feed": "claims-2026-11-25", "made_at": "2026-11-25T22:00:00Z", "events": 3, "amount_cents": 1000}
LINE = json.loads(examples.written(ClaimPaid, "12345678", today=NOW.date()))["data"]["lines"][0]
PAYMENT = {"payment_id": "P-1", "paid_on": "2026-11-24", "payee": "provider", "payee_name": "Pharmacie ; du Port"}
CLAIM = {"claim_id": "R-1", "member_number": "12345678"}
PAID = {
    "type": "ClaimPaid",
    "data": {
        **CLAIM,
        "beneficiary_rank": 1,
        "amount_cents": 1400,
        "payment": PAYMENT,
        "lines": [LINE, {**LINE, "line": 2}],
    },
}
RECEIVED = {
    "type": "ClaimReceived",
    "data": {
        **CLAIM,
        "claim_id": "R-2",
        "beneficiary_rank": 1,
        "received_on": "2026-11-20",
        "document_ids": ["d-1", "d-2"],
    },
}
REVERSED = {
    "type": "ClaimReversed",
    "data": {
        **CLAIM,
        "claim_id": "V-1",
        "reverses": "R-0",
        "reversed_on": "2026-11-24",
        "amount_cents": -400,
        "reason": "Doublon",
    },
}
_OF_BOTH = 'paid;R-1;12345678;1;;;;;;;;;1400;;P-1;2026-11-24;provider;"Pharmacie ; du Port"'
_ACT = "2026-11-18;PH7;Pharmacie 65 %;PHAR;1;2000;2000;1300;700;0"
ROWS = {
    1: "\ufeffclaims-2026-11-25;2026-11-25T22:00:00Z;3;1000",
    2: ";".join(table.COLUMNS),
    3: f"{_OF_BOTH};1;{_ACT}",
    4: f"{_OF_BOTH};2;{_ACT}",
    5: "received;R-2;12345678;1;2026-11-20;;;;;;;;;d-1 d-2" + ";" * 15,
    6: "reversed;V-1;12345678;;;;;;Doublon;;R-0;2026-11-24;-400;" + ";" * 15,
}


def ndjson(*events: Any, **head: Any) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in (HEAD | head, *events))


def csv(changed: dict[int, str] | None = None) -> bytes:
    return "\r\n".join((ROWS | (changed or {})).values()).encode()


def looked_at(content: bytes) -> Checked:
    return check.whole(io.BytesIO(content), now=NOW, progress=lambda _: None)


def faults(content: bytes) -> list[str]:
    with pytest.raises(InvalidFeed) as refused:
        looked_at(content).refuse_if_wrong()
    return str(refused.value).splitlines()


@pytest.mark.parametrize("content", [ndjson(PAID, RECEIVED, REVERSED), csv()], ids=["ndjson", "csv"])
def test_both_forms_hold_the_same_events(content: bytes) -> None:
    found = looked_at(content)
    found.refuse_if_wrong()
    assert (found.events, found.amount_cents) == (3, 1000)
    _, lines = check.events(io.BytesIO(content), now=NOW)
    paid, received, reversed_ = (line.event for line in lines)
    assert paid
    assert received
    assert reversed_
    assert isinstance(paid.data, ClaimPaid)
    assert [line.line for line in paid.data.lines] == [1, 2]
    assert paid.data.payment.payee_name == "Pharmacie ; du Port"
    assert received.data.document_ids == ("d-1", "d-2")  # type: ignore[attr-defined]
    assert isinstance(reversed_.data, ClaimReversed)
    assert {event.time for event in (paid, received, reversed_)} == {datetime(2026, 11, 25, 22, tzinfo=UTC)}


def test_ids_are_the_same_each_time_and_in_the_files_order() -> None:
    def ids() -> list[str]:
        _, lines = check.events(io.BytesIO(ndjson(PAID, RECEIVED, REVERSED)), now=NOW)
        return [line.event.id for line in lines if line.event]

    assert ids() == ids() == sorted(ids())
    assert ids()[0] == "claims-2026-11-25/000000002"


def test_an_event_keeps_an_id_and_a_time_of_its_own() -> None:
    _, lines = check.events(io.BytesIO(ndjson(PAID | {"id": "own", "time": "2026-11-24T01:00:00Z"})), now=NOW)
    (line,) = lines
    assert line.event
    assert (line.event.id, line.event.time) == ("own", datetime(2026, 11, 24, 1, tzinfo=UTC))


WRONG_SUM = PAID | {"data": {**PAID["data"], "amount_cents": 1}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            ndjson(WRONG_SUM, "nonsense", REVERSED, {"type": "ClaimLost", "data": {}}),
            [
                "line 2: data.amount_cents: Should be the sum of the lines' complementary_cents",
                "line 3: should be a JSON",
            ],
        ),
        (ndjson(PAID, RECEIVED, events=2, amount_cents=1400) + b"\n{broken", ["line 4: not JSON"]),
        (ndjson(PAID, REVERSED), ["line 1: events is 3, the lines have 2"]),
        (ndjson(PAID, RECEIVED, REVERSED, amount_cents=999), ["line 1: amount_cents is 999, the lines have 1,000"]),
        (ndjson(*[PAID | {"id": "one"}] * 2), ["line 3: id: another line of the file has it"]),
        (ndjson(PAID, made_at="2026-11-28T08:00:00Z"), ["line 1: made_at: more than 24 hours ahead"]),
        (ndjson(PAID, events="3"), ["line 1: events: Input should be a valid integer"]),
        (b"{]", ["line 1: not JSON"]),
        (b"", ["line 1: should be feed;made_at;events;amount_cents"]),
        (b"\xff\xfe;;;", ["line 1: neither JSON nor CSV in UTF-8"]),
        (csv({1: "claims;2026-11-25T22:00:00Z;3"}), ["line 1: should be feed;made_at;events;amount_cents"]),
        (csv({2: f"{ROWS[2]};nir"}), ["line 2: unknown columns nir"]),
        (
            csv({5: "lost;R-2;12345678" + ";" * 26}),
            ["line 5: type: should be one of received, paid, refused, reversed"],
        ),
        (csv({5: "received;R-2"}), ["line 5: 2 columns instead of 29"]),
        (csv({4: ROWS[4].replace("P-1", "P-2")}), ["line 3: the rows of this claim differ in payment_id"]),
        (csv({4: ROWS[4].replace("1300", "13,00")}), ["line 3: data.lines.1.statutory_cents"]),
        (csv({3: ROWS[3].replace(";700;", ";7000;")}), ["line 3: data.amount_cents: Should be the sum"]),
        (csv({6: '"never closed'}), ["line 6: not CSV in UTF-8; nothing after it was read"]),
    ],
)
def test_what_is_wrong_is_told_with_its_line(content: bytes, said: list[str]) -> None:
    told = faults(content)
    for part in said:
        assert any(one.startswith(part) for one in told), told
    assert not any("12345678" in one or "Doublon" in one for one in told)


def test_of_very_many_bad_lines_the_first_are_told_and_the_others_counted() -> None:
    told = faults(ndjson(*[{}] * (check.FAULTS_SHOWN + 5)))
    assert len(told) == check.FAULTS_SHOWN + 1
    assert told[-1] == "5 more bad lines"
