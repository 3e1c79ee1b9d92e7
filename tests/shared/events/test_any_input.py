"""Whatever a record holds, it is an event or has a reason, and the reason repeats nothing of it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.events.record import InvalidRecord, Record, parse
from tests.shared.events.examples import NAMES, NOW, golden, record


@given(
    st.dictionaries(
        st.sampled_from([header for header, _ in record("ClaimPaid").headers]), st.none() | st.binary(max_size=40)
    )
)
def test_whatever_the_headers_hold_the_answer_is_an_event_or_a_reason(headers: dict[str, bytes | None]) -> None:
    _parse_or_reason(record("ClaimPaid", headers=headers))


@given(st.none() | st.binary(max_size=200), st.none() | st.binary(max_size=10))
def test_whatever_value_and_key_hold_the_answer_is_an_event_or_a_reason(value: bytes | None, key: bytes | None) -> None:
    _parse_or_reason(record("ClaimPaid", value=value, key=key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just("SECRET-VALUE"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just("SECRET-VALUE"), inner, max_size=3)
    ),
)


@given(st.sampled_from(NAMES), st.data())
def test_whatever_a_field_holds_the_reason_does_not_repeat_it(name: str, data: st.DataObject) -> None:
    example = golden(name)["data"]
    holder = data.draw(st.sampled_from(_holders(example)))
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSON)

    reason = _parse_or_reason(record(name, value=json.dumps(example).encode()))

    assert "SECRET-VALUE" not in reason


def _holders(value: Any) -> list[dict[str, Any]]:
    """The objects within a JSON value."""
    if isinstance(value, dict):
        return [value, *(found for inner in value.values() for found in _holders(inner))]
    return [found for inner in value for found in _holders(inner)] if isinstance(value, list) else []


def _parse_or_reason(any_record: Record) -> str:
    try:
        parse(any_record, now=NOW)
    except InvalidRecord as error:
        return error.reason
    return ""
