"""What is no event, why, and that the reason repeats nothing of it."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.events.record import InvalidRecord, Record, parse
from tests.shared.events.examples import NAMES, NOW, golden, record

Change = Callable[[dict[str, Any]], object]


def in_line(**fields: object) -> Change:
    return lambda data: data["lines"][0].update(fields)


RECORDS = [
    ("value absent", record("ClaimPaid", value=None), "value_absent"),
    ("empty value", record("ClaimPaid", value=b""), "json_invalid"),
    ("truncated JSON", record("ClaimPaid", value=b'{"claim_id": "R-1", "li'), "json_invalid"),
    ("two documents", record("ClaimPaid", value=b"{} {}"), "json_invalid"),
    ("not UTF-8", record("LetterPosted", value=b'{"letter_id":"\xe9"}'), "json_invalid"),
    ("half a surrogate pair", record("LetterPosted", value=b'{"letter_id":"\\ud800"}'), "json_invalid"),
    ("deep nesting", record("ClaimPaid", value=b"[" * 100_000), "json_invalid"),
    ("a list", record("ClaimPaid", value=b"[]"), "data_invalid: model_type"),
    ("null header", record("ClaimPaid", headers={"ce_type": None}), "header_invalid: ce_type null"),
    ("null optional header", record("ClaimPaid", headers={"ce_subject": None}), "header_invalid: ce_subject null"),
    ("header not UTF-8", record("ClaimPaid", headers={"ce_id": b"\xff\xfe"}), "header_invalid: ce_id not_utf8"),
    ("null header of no meaning", record("ClaimPaid", headers={"x": None}), "header_invalid: other null"),
    ("binary header of no meaning", record("ClaimPaid", headers={"x": b"\xff"}), "header_invalid: other not_utf8"),
    ("empty header", record("ClaimPaid", headers={"ce_id": b""}), "header_invalid: ce_id malformed"),
    ("long header", record("ClaimPaid", headers={"ce_id": b"a" * 257}), "header_invalid: ce_id malformed"),
    ("control character", record("ClaimPaid", headers={"ce_id": b"a\nb"}), "header_invalid: ce_id malformed"),
    ("unknown type", record("ClaimPaid", headers={"ce_type": b"ClaimLost"}), "unknown_type"),
    ("type of another topic", record("ClaimPaid", headers={"ce_type": b"MemberEnrolled"}), "unknown_type"),
    (
        "another's source",
        record("ClaimPaid", headers={"ce_source": b"/casework"}),
        "header_invalid: ce_source unexpected",
    ),
    (
        "version 0.3",
        record("ClaimPaid", headers={"ce_specversion": b"0.3"}),
        "header_invalid: ce_specversion unexpected",
    ),
    (
        "Avro",
        record("ClaimPaid", headers={"content-type": b"application/avro"}),
        "header_invalid: content-type unexpected",
    ),
    (
        "structured mode",
        record("ClaimPaid", headers={"content-type": b"application/cloudevents+json"}),
        "header_invalid: content-type unexpected",
    ),
    (
        "time without offset",
        record("ClaimPaid", headers={"ce_time": b"2026-11-20T09:30:00"}),
        "header_invalid: ce_time malformed",
    ),
    (
        "no such day",
        record("ClaimPaid", headers={"ce_time": b"2026-02-30T09:30:00Z"}),
        "header_invalid: ce_time malformed",
    ),
    (
        "before the year 1",
        record("ClaimPaid", headers={"ce_time": b"0001-01-01T00:00:00+23:00"}),
        "header_invalid: ce_time malformed",
    ),
    ("epoch seconds", record("ClaimPaid", headers={"ce_time": b"1795000000"}), "header_invalid: ce_time malformed"),
    ("far future", record("ClaimPaid", headers={"ce_time": b"2999-01-01T00:00:00Z"}), "time_in_future"),
    ("no key", record("ClaimPaid", key=None), "key_mismatch"),
    ("another's key", record("ClaimPaid", key=b"12345679"), "key_mismatch"),
    ("key in JSON quotes", record("ClaimPaid", key=b'"12345678"'), "key_mismatch"),
    ("key not ASCII", record("ClaimPaid", key=b"\xff"), "key_mismatch"),
]


@pytest.mark.parametrize(("bad", "reason"), [case[1:] for case in RECORDS], ids=[case[0] for case in RECORDS])
def test_a_record_that_is_no_event(bad: Record, reason: str) -> None:
    assert _reason(bad) == reason


@pytest.mark.parametrize("header", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"])
def test_a_header_is_missing(header: str) -> None:
    whole = record("ClaimPaid")
    without = tuple(pair for pair in whole.headers if pair[0] != header)

    assert _reason(_with_headers(whole, without)) == f"header_invalid: {header} missing"


def test_a_header_is_there_twice() -> None:
    whole = record("ClaimPaid")

    assert _reason(_with_headers(whole, (*whole.headers, ("ce_id", b"another")))) == "header_invalid: ce_id repeated"


DATA: list[tuple[str, Change, str]] = [
    ("ClaimPaid", in_line(complementary_cents=701), "data_invalid: amount_cents sum_mismatch"),
    ("ClaimPaid", lambda data: data.update(amount_cents=2**63), "data_invalid: amount_cents less_than_equal"),
    ("ClaimPaid", in_line(spent_cents=-(2**63) - 1), "data_invalid: lines.0.spent_cents greater_than_equal"),
    ("ClaimPaid", in_line(spent_cents=2**63 - 1, statutory_cents=-1000), "data_invalid: lines sum_out_of_range"),
    ("ClaimPaid", in_line(spent_cents="2000"), "data_invalid: lines.0.spent_cents int_type"),
    ("ClaimPaid", in_line(spent_cents=20.0), "data_invalid: lines.0.spent_cents int_type"),
    ("ClaimPaid", in_line(quantity=True), "data_invalid: lines.0.quantity int_type"),
    ("ClaimPaid", in_line(care_date="2026-11-31"), "data_invalid: lines.0.care_date date_parsing"),
    ("ClaimPaid", in_line(care_date="20261112"), "data_invalid: lines.0.care_date date_parsing"),
    ("ClaimPaid", in_line(care_date="2026-11-12T00:00:00Z"), "data_invalid: lines.0.care_date date_parsing"),
    ("ClaimPaid", in_line(care_date=20261112), "data_invalid: lines.0.care_date date_type"),
    ("ClaimPaid", in_line(domain="DENT"), "data_invalid: lines.0.domain literal_error"),
    ("ClaimPaid", in_line(act_label="a\r\nBcc: x"), "data_invalid: lines.0.act_label string_pattern_mismatch"),
    ("ClaimPaid", lambda data: data.update(lines=[]), "data_invalid: lines too_short"),
    (
        "ClaimPaid",
        lambda data: data["payment"].update(payee="provider"),
        "data_invalid: payment.payee_name required_for_provider",
    ),
    ("ClaimPaid", lambda data: data.pop("member_number"), "data_invalid: member_number missing"),
    ("ClaimPaid", lambda data: data.update(member_number=12345678), "data_invalid: member_number string_type"),
    (
        "ClaimPaid",
        lambda data: data.update(member_number="١٢٣٤٥٦٧٨"),
        "data_invalid: member_number string_pattern_mismatch",
    ),
    ("ClaimPaid", lambda data: data.update(document_ids=None), "data_invalid: document_ids tuple_type"),
    ("ClaimReversed", lambda data: data.update(amount_cents=700), "data_invalid: amount_cents less_than"),
    ("ClaimReversed", lambda data: data.update(amount_cents=0), "data_invalid: amount_cents less_than"),
    ("ClaimReversed", lambda data: data.update(reverses=data["claim_id"]), "data_invalid: reverses reverses_itself"),
    ("DocumentProcessed", lambda data: data.pop("reason"), "data_invalid: reason required_for_refusal"),
    ("DocumentDelivered", lambda data: data.update(bucket="letters"), "data_invalid: bucket literal_error"),
    ("DocumentDelivered", lambda data: data.update(sha256="0" * 63), "data_invalid: sha256 string_pattern_mismatch"),
    ("MessageAnswered", lambda data: data.update(answered_at=1795000000), "data_invalid: answered_at instant_format"),
    ("MessageAnswered", lambda data: data.update(answered_at="1795000000"), "data_invalid: answered_at instant_format"),
    (
        "MessageAnswered",
        lambda data: data.update(answered_at="2026-11-19T14:05:00"),
        "data_invalid: answered_at instant_format",
    ),
    (
        "MessageAnswered",
        lambda data: data.update(answered_at="2026-11-19 14:05:00Z"),
        "data_invalid: answered_at instant_format",
    ),
    ("MessageAnswered", lambda data: data.update(closes=1), "data_invalid: closes bool_type"),
    ("MessageAnswered", lambda data: data.update(text="\x00"), "data_invalid: text string_pattern_mismatch"),
    ("MemberEnrolled", lambda data: data.update(nir="284057511700129"), "data_invalid: nir nir_invalid"),
    ("MemberEnrolled", lambda data: data.update(nir="2841375117001"), "data_invalid: nir nir_invalid"),
    ("MemberEnrolled", lambda data: data.update(nir="2 84 05 75 117 001"), "data_invalid: nir nir_invalid"),
    ("MemberEnrolled", lambda data: data.update(email="laure"), "data_invalid: email string_pattern_mismatch"),
    (
        "MemberEnrolled",
        lambda data: data.update(email="a@b.fr\nBcc: c@d.fr"),
        "data_invalid: email string_pattern_mismatch",
    ),
    (
        "MemberEnrolled",
        lambda data: data["beneficiaries"][1].update(rank=1),
        "data_invalid: beneficiaries rank_repeated",
    ),
    (
        "MemberEnrolled",
        lambda data: data["coverage"].update(valid_until="2025-12-31"),
        "data_invalid: coverage.valid_until ends_before_it_begins",
    ),
    (
        "MemberEnrolled",
        lambda data: data["coverage"]["guarantees"][0].update(operator="XX"),
        "data_invalid: coverage.guarantees.0.operator literal_error",
    ),
    (
        "MemberEnrolled",
        lambda data: data["coverage"].update(footnotes={"$secret.key": "x"}),
        "data_invalid: coverage.footnotes.*.* string_pattern_mismatch",
    ),
    ("MemberUpdated", lambda data: data.update(last_name=None), "data_invalid: last_name not_removable"),
    (
        "MemberUpdated",
        lambda data: data["beneficiaries"][2].update(rank=2),
        "data_invalid: beneficiaries rank_repeated",
    ),
    ("IdentifierChanged", lambda data: data.pop("email"), "data_invalid: email required_for_email"),
    ("IdentifierChanged", lambda data: data.pop("previous_email"), "data_invalid: undo_token only_with_previous_email"),
    (
        "IdentifierChanged",
        lambda data: data.update(email="laure@example.org"),
        "data_invalid: email string_pattern_mismatch",
    ),
    ("SessionsClosed", lambda data: data.pop("session_ids"), "data_invalid: session_ids one_of_two"),
    (
        "SessionsClosed",
        lambda data: data.update(all_before="2026-11-20T09:30:00Z"),
        "data_invalid: session_ids one_of_two",
    ),
    ("StatementReady", lambda data: data.update(claim_count=0), "data_invalid: claim_count greater_than_equal"),
]


@pytest.mark.parametrize(("name", "change", "reason"), DATA)
def test_data_that_break_the_contract(name: str, change: Change, reason: str) -> None:
    assert _reason(record(name, change)) == reason


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b'"posted_on":"2026-11-21","posted_on":"2026-11-22"', "json_name_repeated"),
        (b'"posted_on":"2026-11-21","unknown":{"a":1,"a":2}', "json_name_repeated"),
        (b'"posted_on":"2026-11-21","posted\\u005fon":"2026-11-22"', "json_name_repeated"),
        (b'"posted_on":"2026-11-21","unknown":NaN', "json_invalid"),
        (b'"posted_on":"2026-11-21","unknown":-Infinity', "json_invalid"),
    ],
)
def test_json_that_two_readers_may_read_differently(written: bytes, reason: str) -> None:
    value = b'{"member_number":"12345678","letter_id":"l-1",' + written + b"}"

    assert _reason(record("LetterPosted", value=value)) == reason


def _names_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_names_in(inner) for inner in value.values())
    return sum(_names_in(inner) for inner in value) if isinstance(value, list) else 0


@pytest.mark.parametrize("colon", [":", " : ", "\n:"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_there_twice_wherever_in_an_event(name: str, colon: str) -> None:
    data = golden(name)["data"]
    for nth in range(_names_in(data)):
        seen = itertools.count()

        def twice(value: Any, nth: int = nth, seen: Iterator[int] = seen) -> str:
            if isinstance(value, list):
                return "[" + ",".join(twice(inner) for inner in value) + "]"
            if not isinstance(value, dict):
                return json.dumps(value)
            members = []
            for key, inner in value.items():
                again = next(seen) == nth
                members += [f"{json.dumps(key)}{colon}{twice(inner)}"] * (2 if again else 1)
            return "{" + ",".join(members) + "}"

        assert _reason(record(name, value=twice(data).encode())) == "json_name_repeated"


def test_24_hours_ahead_is_the_limit() -> None:
    time = record("ClaimPaid")

    parse(time, now=NOW - timedelta(hours=24, seconds=-5))
    with pytest.raises(InvalidRecord, match="time_in_future"):
        parse(time, now=NOW - timedelta(hours=24, seconds=6))


def test_a_malformed_traceparent_is_ignored() -> None:
    assert parse(record("ClaimPaid"), now=NOW).traceparent is not None
    assert parse(record("ClaimPaid", headers={"traceparent": b"00-xyz"}), now=NOW).traceparent is None


def test_a_reason_is_bounded() -> None:
    reason = _reason(record("ClaimPaid", lambda data: data.update(lines=[{}] * 500)))

    assert len(reason) < 500


def _with_headers(whole: Record, headers: tuple[tuple[str, bytes | None], ...]) -> Record:
    return Record(whole.topic, whole.partition, whole.offset, whole.key, whole.value, headers)


def _reason(bad: Record) -> str:
    with pytest.raises(InvalidRecord) as caught:
        parse(bad, now=NOW)
    assert str(caught.value) == caught.value.reason
    assert caught.value.reason.startswith(caught.value.code)
    assert caught.value.__cause__ is None
    return caught.value.reason
