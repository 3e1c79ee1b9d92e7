"""Every event of the catalogue has a golden example, and the examples hold."""

import json
from typing import Any

import pytest

from shared.events import CATALOGUE
from shared.events.auth import IdentifierChanged
from shared.events.claims_payment import ClaimPaid
from shared.events.membership import MemberEnrolled
from shared.events.record import parse, to_message
from shared.sealing import Keyring
from tests.shared.events.examples import NAMES, NOW, golden, received, record

ALL = {name: contract for events in CATALOGUE.values() for name, contract in events.items()}
GOLDEN_KEY = "notifications/1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_every_event_of_the_catalogue_has_an_example_and_every_example_an_event() -> None:
    assert set(NAMES) == set(ALL)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_read_and_written_back(name: str) -> None:
    event = parse(record(name), now=NOW)
    message = to_message(event)

    assert type(event.data) is ALL[name]
    assert message.topic == golden(name)["topic"]
    assert message.key == golden(name)["key"].encode()
    assert dict(message.headers) == {header: text.encode() for header, text in golden(name)["headers"].items()}
    assert _without_empty(json.loads(message.value or b"")) == _without_empty(_with_short_nirs(golden(name)["data"]))


@pytest.mark.parametrize("name", NAMES)
def test_what_we_write_is_read_as_the_same_event_and_written_again_byte_by_byte(name: str) -> None:
    event = parse(record(name), now=NOW)
    message = to_message(event)
    again = parse(received(message), now=NOW)

    assert again == event
    assert to_message(again) == message
    assert b'": ' not in (message.value or b"")


@pytest.mark.parametrize("name", NAMES)
def test_fields_and_headers_that_we_do_not_know_are_ignored(name: str) -> None:
    event = parse(
        record(name, lambda data: data.update(added_later={"deep": [1.5, None]}), headers={"ce_added": b"1", "x": b""}),
        now=NOW,
    )

    assert event == parse(record(name), now=NOW)


@pytest.mark.parametrize("name", NAMES)
def test_a_repr_shows_no_personal_data(name: str) -> None:
    shown = repr(parse(record(name), now=NOW).data)

    assert shown == f"{name}()"


def test_numbers_lists_and_dates_are_typed() -> None:
    paid = parse(record("ClaimPaid"), now=NOW).data
    enrolled = parse(record("MemberEnrolled"), now=NOW).data

    assert isinstance(paid, ClaimPaid)
    assert paid.lines[0].left_to_pay_cents == 0
    assert paid.payment.paid_on.isoformat() == "2026-11-20"
    assert isinstance(enrolled, MemberEnrolled)
    assert enrolled.nir == "2840575117001"
    assert enrolled.coverage.guarantees[1].ranks == (1,)


def test_the_sealed_fields_of_the_examples_open_with_the_published_key() -> None:
    event = parse(record("IdentifierChanged"), now=NOW)
    ring = Keyring.from_setting(GOLDEN_KEY)

    assert isinstance(event.data, IdentifierChanged)
    assert event.data.email is not None
    assert ring.open(event.data.email, event_id=event.id, field="email") == "laure.dupont@example.org"


def _with_short_nirs(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: value[:13] if name == "nir" else _with_short_nirs(value) for name, value in data.items()}
    return [_with_short_nirs(item) for item in data] if isinstance(data, list) else data


def _without_empty(data: dict[str, Any]) -> Any:
    """Absent and null mean the same in every event but MemberUpdated, absent and [] the same for document_ids."""
    if "postal_address" in data and "coverage" not in data:
        return data
    found = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in data.items()}
    return {name: value for name, value in found.items() if value is not None and (name, value) != ("document_ids", [])}
