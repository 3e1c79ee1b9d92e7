"""Any event that a publisher can build is read back as it was."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared import clock
from shared.events.auth import PasswordReset
from shared.events.base import Event, EventData
from shared.events.casework import MessageAnswered
from shared.events.claims_payment import ClaimLine, ClaimPaid, Payment
from shared.events.membership import MemberUpdated, PostalAddress
from shared.events.record import parse, to_message
from tests.shared.events.examples import NOW, received

MONEY = st.integers(-(2**40), 2**40)
NOT_BLANK = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=40
)
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
MEMBERS = st.from_regex(r"[0-9]{8}", fullmatch=True)
NOW_MS = int(NOW.timestamp() * 1000)
INSTANTS = st.integers(0, NOW_MS).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))

LINES = st.lists(
    st.builds(
        ClaimLine,
        line=st.integers(1, 99),
        care_date=st.dates(),
        act_code=IDS,
        act_label=NOT_BLANK,
        domain=st.sampled_from(["PHAR", "HOSP", "DIV"]),
        quantity=st.integers(0, 1000),
        spent_cents=MONEY,
        base_cents=MONEY,
        statutory_cents=MONEY,
        complementary_cents=MONEY,
        other_cents=MONEY,
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def paid_claims(draw: st.DrawFn) -> ClaimPaid:
    lines = tuple(draw(LINES))
    return ClaimPaid(
        member_number=draw(MEMBERS),
        claim_id=draw(IDS),
        beneficiary_rank=draw(st.integers(1, 99)),
        amount_cents=sum(line.complementary_cents for line in lines),
        payment=Payment(payment_id=draw(IDS), paid_on=draw(st.dates()), payee="provider", payee_name=draw(NOT_BLANK)),
        lines=lines,
    )


ADDRESSES = st.builds(
    PostalAddress, lines=st.tuples(NOT_BLANK), postal_code=st.just("69003"), city=NOT_BLANK, country=st.just("FR")
)
UPDATES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"member_number": MEMBERS},
    optional={
        "first_name": NOT_BLANK,
        "birth_date": st.dates(),
        "title": st.none() | NOT_BLANK,
        "email": st.none() | st.just("laure@example.org"),
        "postal_address": st.none() | ADDRESSES,
    },
)
ANSWERS = st.builds(
    MessageAnswered,
    member_number=MEMBERS,
    thread_id=IDS,
    message_id=IDS,
    answer_id=IDS,
    text=NOT_BLANK.map(lambda text: f"{text}\n\n{text}"),
    answered_at=INSTANTS,
    document_ids=st.lists(IDS, max_size=3).map(tuple),
    closes=st.booleans(),
)


@given(
    paid_claims() | ANSWERS | UPDATES.map(lambda fields: MemberUpdated(**fields)), IDS, INSTANTS, st.none() | NOT_BLANK
)
def test_what_is_published_is_what_is_read(data: EventData, event_id: str, time: datetime, subject: str | None) -> None:
    event = Event.of(data, id=event_id, time=time, subject=subject)
    message = to_message(event)

    assert parse(received(message), now=NOW) == event
    assert to_message(parse(received(message), now=NOW)) == message


@given(UPDATES)
def test_absent_and_removed_stay_apart(fields: dict[str, Any]) -> None:
    event = parse(received(to_message(Event.of(MemberUpdated(**fields), time=NOW))), now=NOW)

    assert isinstance(event.data, MemberUpdated)
    assert event.data.changes == {name: value for name, value in fields.items() if name != "member_number"}


def test_an_instant_of_another_offset_is_kept_in_utc_and_milliseconds() -> None:
    paris = timezone(timedelta(hours=1))
    data = PasswordReset(member_number="12345678", at=datetime(2026, 11, 20, 10, 30, 0, 123456, tzinfo=paris))
    event = Event.of(data, time=datetime(2026, 11, 20, 10, 30, 0, 999999, tzinfo=paris))

    assert data.at == datetime(2026, 11, 20, 9, 30, 0, 123000, tzinfo=UTC)
    assert event.time == datetime(2026, 11, 20, 9, 30, 0, 999000, tzinfo=UTC)
    assert dict(to_message(event).headers)["ce_time"] == b"2026-11-20T09:30:00.999Z"


def test_an_event_gets_an_id_and_the_present() -> None:
    data = PasswordReset(member_number="12345678", at=clock.now())
    first, second = Event.of(data), Event.of(data)

    assert first.id < second.id
    assert (first.type, first.source, first.data.topic) == ("PasswordReset", "/auth", "auth.v1")
    assert abs(clock.now() - first.time) < timedelta(seconds=5)


def test_the_later_event_wins_and_among_equals_the_larger_id() -> None:
    data = PasswordReset(member_number="12345678", at=NOW)
    events = [
        Event.of(data, id="b", time=NOW),
        Event.of(data, id="a", time=NOW + timedelta(milliseconds=1)),
        Event.of(data, id="c", time=NOW),
    ]

    assert [event.id for event in sorted(events, key=lambda event: event.order)] == ["b", "c", "a"]


def test_data_cannot_be_changed() -> None:
    data = PasswordReset(member_number="12345678", at=NOW)

    with pytest.raises(ValidationError, match="frozen"):
        data.member_number = "87654321"  # type: ignore[misc]  # frozen: it must fail
    with pytest.raises(ValidationError) as caught:
        PasswordReset(member_number="SECRET", at=date(2026, 1, 1))  # type: ignore[arg-type]  # wrong on purpose
    assert "SECRET" not in str(caught.value)
