"""What « Mes remboursements » is filtered by: from the form to claims, by an address that tells nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from jinja2 import Environment, FileSystemLoader

from services.claims.french import DOMAINS as DOMAINS_ON_PAPER
from services.claims.french import STATUSES as STATUSES_ON_PAPER
from services.gateway.pages import formats
from services.gateway.pages.reimbursement_filters import DOMAINS, STATUSES, Filters, FilterTokens, Place, years
from services.gateway.pages.templating import HERE as PAGES
from shared.sealing import Keyring
from tests.services.gateway.members import KEYRING, KEYS, LAURE, PAUL, Browser, pair
from tests.services.gateway.running import Answer, Gateway, Seen, say

TODAY = date(2026, 5, 31)
SEARCHED = "hépatite"


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ({}, {}),
        ({"periode": "3-mois"}, {"from": "2026-02-28"}),
        ({"periode": "12-mois"}, {"from": "2025-05-31"}),
        ({"periode": "2025"}, {"from": "2025-01-01", "to": "2025-12-31"}),
        ({"periode": "dates", "du": "2026-01-02"}, {"from": "2026-01-02"}),
        ({"du": "2/1/2026", "au": " 31/12/2026 "}, {"from": "2026-01-02", "to": "2026-12-31"}),
        ({"periode": "2025", "du": "2026-01-02"}, {"from": "2026-01-02"}),
        (
            {"periode": "2025", "du": "2026-01-02", "montrees": "2026-01-02/"},
            {"from": "2025-01-01", "to": "2025-12-31"},
        ),
        ({"periode": "dates", "du": "2026-01-02", "montrees": "2026-01-02/"}, {"from": "2026-01-02"}),
        ({"du": "2026-01-02", "montrees": "2026-01-02/"}, {}),
        ({"periode": "dates", "du": "hier"}, {"from": "hier"}),
        ({"periode": "demain", "recherche": "  "}, {}),
        (
            {"pour": "2", "statut": "paid", "domaine": "OPTI", "recherche": " Hôtel "},
            {"beneficiary": "2", "status": "paid", "domain": "OPTI", "q": "Hôtel"},
        ),
        ({"recherche": "x" * 500}, {"q": "x" * 120}),
    ],
)
def test_what_is_typed_is_asked_of_claims(typed: dict[str, str], asked: dict[str, str]) -> None:
    assert Filters(**typed).settled().query(TODAY) == asked


def test_a_month_and_a_year_are_asked_by_their_days_and_shown_as_the_form_offers_them() -> None:
    assert Filters.of_month(date(2024, 2, 1)).query(TODAY) == {"from": "2024-02-01", "to": "2024-02-29"}
    for year in (years()[0], years()[-1], years()[-1] - 1):
        days = {"from": f"{year}-01-01", "to": f"{year}-12-31"}
        assert Filters.of_year(year).query(TODAY) == days
        of_domain = Filters.of_year(year, "OPTI")
        assert of_domain.query(TODAY) == days | {"domain": "OPTI"}
        assert of_domain.periode == (str(year) if year in years() else "dates")
        assert of_domain.settled() == of_domain, "as it comes back when the form is sent again"


def test_a_token_opens_for_its_own_member_and_for_nobody_else() -> None:
    tokens, filters = FilterTokens(KEYRING), Filters(recherche=SEARCHED, pour="2")
    sealed = tokens.seal(LAURE, filters)
    assert SEARCHED not in sealed
    assert tokens.open(LAURE, sealed) == filters
    assert tokens.open(LAURE, "") == Filters()
    others = FilterTokens(Keyring.from_setting(f"gateway/1:{'A' * 43}"))
    changed = sealed[:-1] + ("A" if sealed[-1] != "A" else "B")
    as_cookie = KEYRING.seal_at_rest(json.dumps({"member": LAURE, "typed": {}}), context="session")
    assert tokens.open(PAUL, sealed) is None
    assert others.open(LAURE, sealed) is None
    assert all(tokens.open(LAURE, text) is None for text in (changed, "nonsense", as_cookie))
    assert tokens.seal(LAURE, Filters(periode="demain")) == ""


def test_the_words_of_the_pages_and_of_the_files_are_the_same() -> None:
    environment = Environment(loader=FileSystemLoader(PAGES), extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # i18n's own
    environment.filters.update(formats.in_locale("fr"), path_segment=str)
    words: Any = environment.get_template("reimbursement_parts.html").make_module()
    assert {code: str(words.domain_name(code)) for code in DOMAINS} == DOMAINS_ON_PAPER
    assert {code: str(words.status_name(code)) for code in STATUSES} == STATUSES_ON_PAPER


@pytest.fixture(scope="module")
def sealing() -> Iterator[Gateway]:
    """A gateway that has the browsers' key."""
    with Gateway(COOKIE_KEYS=KEYS) as gateway:
        yield gateway


def refuses(field: str) -> Answer:
    """claims, which refuses that filter wherever it is asked for."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if f"{field}=" in seen.target:
            body = {"code": "validation", "errors": [{"field": field, "code": "x", "detail": ""}]}
            await say(writer, "422 Unprocessable Content", json.dumps(body).encode(), "Content-Type: application/json")
        else:
            await finds_nothing(seen, writer)

    return answer


async def finds_nothing(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """claims, with a list of nothing."""
    answer = {"items": [], "next_cursor": None, "beneficiaries": [{"rank": 1, "first_name": "Laure"}]}
    await say(writer, "200 OK", json.dumps(answer).encode(), "Content-Type: application/json")


async def too_long(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    await say(writer, "413 Content Too Large", b'{"code": "list_too_long"}', "Content-Type: application/json")


def asked(seen: Seen) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(seen.target).query))


TYPED = {"recherche": SEARCHED, "pour": "1", "periode": "2025"}
WANTED = {"q": SEARCHED, "beneficiary": "1", "from": "2025-01-01", "to": "2025-12-31"}


@pytest.mark.servers
async def test_the_address_of_a_filtered_list_tells_nothing_and_works_again(sealing: Gateway) -> None:
    laure = Browser(sealing)
    async with sealing.origin("claims", finds_nothing) as claims:
        posted = await laure.post("/remboursements", TYPED)
        address = posted.headers["location"]
        assert (posted.status, claims.seen) == (303, [])
        assert address.startswith("/remboursements?filtre=")
        assert "h%C3%A9p" not in address
        for _ in range(2):  # reloaded
            page = await laure.get(address)
            assert page.status == 200
            assert asked(claims.seen[-1]) == WANTED | {"limit": "20"}
        assert "Aucun remboursement ne correspond à ces filtres." in page.page
        assert f'value="{SEARCHED}"' in page.page
        files = await laure.get(address.replace("?", ".csv?"))
        assert (files.status, asked(claims.seen[-1])) == (200, WANTED)
        assert claims.seen[-1].target.startswith("/api/v1/reimbursements.csv?")
        part = await laure.get(address.replace("/remboursements?", "/parties/remboursements/R%2F1?"))
        assert part.status == 200
        both = sorted((asked(seen) for seen in claims.seen[-2:]), key=len)
        assert both == [WANTED | {"limit": "1"}, WANTED | {"limit": "1", "claim_id": "R/1"}]
        count = len(claims.seen)
        for path in (address, address.replace("?", ".pdf?")):
            elsewhere = await Browser(sealing, PAUL).get(path)
            assert (elsewhere.status, elsewhere.headers["location"]) == (303, "/remboursements")
        assert len(claims.seen) == count
        none = await laure.post("/remboursements", {"recherche": " "})
        assert none.headers["location"] == "/remboursements"


@pytest.mark.servers
async def test_one_of_a_filtered_list_leads_back_to_its_place(sealing: Gateway) -> None:
    claim = {"claim_id": "R-1", "status": "received", "date": "2026-11-20", "label": "Lunettes"}

    async def one(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", json.dumps(claim).encode(), "Content-Type: application/json")

    async with sealing.origin("claims", one):
        page = await Browser(sealing).get("/remboursements/R-1?filtre=abc&suite=def")
    assert 'href="/remboursements?filtre=abc&amp;suite=def"' in page.page


@pytest.mark.servers
@pytest.mark.parametrize(
    ("field", "id", "said"),
    [
        ("to", "au", "La date de fin n’est pas une date"),
        ("q", "recherche", "Votre recherche est trop longue"),
        ("beneficiary", "pour", "Choisissez une personne"),
    ],
)
async def test_what_claims_refuses_is_told_at_its_field(sealing: Gateway, field: str, id: str, said: str) -> None:  # noqa: A002
    laure = Browser(sealing)
    async with sealing.origin("claims", refuses(field)):
        page = await laure.get((await laure.post("/remboursements", TYPED)).headers["location"])
    assert page.status == 422
    assert f'<a href="#{id}">{said}' in page.page
    assert f'id="{id}-erreur"' in page.page
    assert "data-live-list" not in page.page


@pytest.mark.servers
async def test_a_file_that_would_be_too_long_says_what_to_do(sealing: Gateway) -> None:
    async with sealing.origin("claims", too_long):
        page = await Browser(sealing).get("/remboursements.pdf")
    assert (page.status, "Choisissez une période plus courte" in page.page) == (413, True)


@pytest.mark.servers
async def test_filters_typed_after_the_session_outlive_it(sealing: Gateway) -> None:
    async def signs_in(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await say(writer, "200 OK", pair(LAURE), "Content-Type: application/json")

    browser = Browser(sealing, member=None)
    over = await browser.post("/remboursements", TYPED)
    assert over.status == 401
    async with sealing.origin("auth", signs_in), sealing.origin("claims", finds_nothing) as claims:
        fields = {"identifiant": "1", "mot_de_passe": "2", "garde": over.hidden("garde"), "csrf": over.hidden("csrf")}
        page = await browser.post("/", fields)
    assert page.status == 200
    assert asked(claims.seen[-1]) == WANTED | {"limit": "20"}
    assert "Vos filtres sont gardés" in page.page


def test_a_place_is_as_short_as_it_can_be() -> None:
    assert str(Place()) == ""
    assert str(Place(suite="a b")) == "?suite=a+b"
    assert str(Place(filtre="x", suite="y")) == "?filtre=x&suite=y"
    assert str(Place(filtre="x", suite="y").first) == "?filtre=x"


def test_the_years_offered_end_with_this_one() -> None:
    assert years() == sorted(years(), reverse=True)
    assert 3 <= len(years()) <= 10
