"""The gateway's pure pieces."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from ipaddress import ip_network

import pytest
from starlette.requests import Request

from deploy.topology import SERVICES
from services.gateway.client_address import client_address
from services.gateway.pages import formats
from services.gateway.pages.web import local_path
from services.gateway.routes import ROUTES
from services.gateway.sse import MAX_EVENT_BYTES, EventParser, EventTooLarge, ServerEvent
from services.gateway.vector import format_vector, parse_vector, vector_now
from tests.services.gateway.running import gateway_settings

NARROW, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (123450, f"1{NARROW}234,50{WIDE}€"),
        (0, f"0,00{WIDE}€"),
        (-200, f"\N{MINUS SIGN}2,00{WIDE}€"),
        (5, f"0,05{WIDE}€"),
    ],
)
def test_amounts_are_written_as_people_read_them(cents: int, text: str) -> None:
    assert formats.amount(cents) == text


def test_the_largest_amounts_keep_every_cent() -> None:
    assert formats.amount(2**63 - 1).replace(NARROW, "") == f"92233720368547758,07{WIDE}€"


def test_dates_are_written_as_people_read_them() -> None:
    assert formats.long_day(date(2026, 11, 20)) == "20 novembre 2026"
    assert formats.long_day(date(2026, 5, 1)) == "1er mai 2026"
    assert formats.long_day(date(2026, 5, 31)) == "31 mai 2026"
    assert formats.short_day(date(2026, 11, 1)) == "1er nov."
    assert formats.short_day(date(2026, 11, 21)) == "21 nov."
    assert formats.month(date(2026, 8, 3)) == "août 2026"
    assert formats.clock(datetime(2026, 7, 1, 12, 5, tzinfo=UTC)) == "14:05"
    assert formats.phone_link("+33 (0)9 70 00") == "tel:+33097000"


def _request(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["not an address"], "0.0.0.0"),  # noqa: S104 - nobody in particular
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
    ],
)
def test_the_clients_address_is_the_nearest_that_is_not_ours(peer: str, forwarded: list[str], address: str) -> None:
    assert client_address(_request(peer, *forwarded), [ip_network("10.0.0.0/8")]) == address


def test_a_vector_has_a_part_for_each_service_and_survives_rubbish() -> None:
    assert format_vector(parse_vector("c1.d2.n3")) == "c1.d2.n3"
    now = parse_vector(vector_now())
    for text in (None, "", "c1", "x9.c1", "c-1.d1e9.n 3", "c" + "9" * 40):
        parsed = parse_vector(text)
        assert set(parsed) == {"c", "d", "n"}
        assert all(value in {1, *range(now["c"], now["c"] + 60_000)} for value in parsed.values())


STREAM = (
    "retry: 1000\n\n: comment\n\nid: 5\n\n"
    "id: 6\nevent: claim\ndata: é1\ndata: 2\n\n"
    "id: 7\r\nevent: x\r\ndata:y\r\n\r\nda"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_they_are_cut(size: int) -> None:
    parser, raw = EventParser(), STREAM.encode()
    events = _feed(parser, (raw[start : start + size] for start in range(0, len(raw), size)))
    assert events == [ServerEvent("", "", "5"), ServerEvent("claim", "é1\n2", "6"), ServerEvent("x", "y", "7")]


@pytest.mark.parametrize("piece", [b"x" * 1000, b"data: " + b"x" * 1000 + b"\n"])
def test_an_event_without_end_is_refused(piece: bytes) -> None:
    parser = EventParser()
    with pytest.raises(EventTooLarge):
        _feed(parser, [piece] * (MAX_EVENT_BYTES // 900))


def _feed(parser: EventParser, pieces: Iterable[bytes]) -> list[ServerEvent]:
    return [event for piece in pieces for event in parser.feed(piece)]


def test_only_paths_of_the_portal_are_returned_to() -> None:
    assert local_path("/remboursements?suite=a%20b", "/") == "/remboursements?suite=a%20b"
    for text in ("", "x", "//x", "/\\x", "https://x", "/\t/x", "/é", "\\/x"):
        assert local_path(text, "/default") == "/default"


def test_the_route_table_names_known_services_once() -> None:
    assert {route.service for route in ROUTES} <= set(SERVICES)
    named = [(method, route.path) for route in ROUTES for method in route.methods]
    assert len(named) == len(set(named))
    assert not [path for _, path in named if any(word in path for word in ("metrics", "livez", "readyz"))]


def test_settings_that_cannot_work_are_refused() -> None:
    assert gateway_settings(portal_url="HTTPS://Portail.example/").portal_url == "https://portail.example"
    assert gateway_settings(trusted_proxies="10.0.0.0/8, ::1").trusted_proxies == (
        ip_network("10.0.0.0/8"),
        ip_network("::1"),
    )
    for name, value in (
        ("portal_url", "ftp://x"),
        ("portal_url", "https://x/path"),
        ("portal_url", "https://"),
        ("trusted_proxies", "everyone"),
        ("upstream_read_seconds", "10"),
    ):
        with pytest.raises(ValueError, match=name):
            gateway_settings(**{name: value})
