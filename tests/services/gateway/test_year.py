"""« Mon année » and the statements of a year: whose part is what, how it is drawn, and which list a sum is of."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.pages.reimbursement_filters import FilterTokens, today
from services.gateway.pages.year_figures import PARTS, bars, parts
from services.gateway.schemas.reimbursements import Figures
from tests.services.gateway.members import KEYRING, KEYS, LAURE, Answered, Browser
from tests.services.gateway.running import Answer, Gateway, Seen, say

MINUS = "\N{MINUS SIGN}"
CENTS = st.integers(-(10**12), 10**12)


def figures(spent: int = 0, statutory: int = 0, reimbursed: int = 0, other: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "spent_cents": spent,
        "statutory_cents": statutory,
        "reimbursed_cents": reimbursed,
        "other_cents": other,
        "left_to_pay_cents": spent - statutory - reimbursed - other,
        "to_member_cents": reimbursed,
        "claim_count": 1 if spent > 0 else 0,
        **more,
    }


def sums(*cents: int) -> Figures:
    return Figures.model_validate(figures(*cents))


@given(st.lists(st.integers(0, 10**12), min_size=4, max_size=4))
def test_shares_are_whole_percents_that_add_up_to_a_hundred(cents: list[int]) -> None:
    told = parts(sums(sum(cents), *cents[:3]))
    assert [part.cents for part in told] == cents
    if sum(cents) == 0:
        assert {part.percent for part in told} == {None}
        return
    assert sum(part.percent or 0 for part in told) == 100
    for part in told:
        assert part.percent is not None
        assert abs(part.percent - 100 * part.cents / sum(cents)) < 1


@pytest.mark.parametrize("of", [(-100, -70, -30), (0, -100, 0), (2000, 9, 2200), (0, 0, 0)])
def test_what_was_taken_back_or_overpaid_has_no_share(of: tuple[int, ...]) -> None:
    assert {part.percent for part in parts(sums(*of))} == {None}


@given(st.lists(st.tuples(CENTS, CENTS, CENTS, CENTS), max_size=12))
def test_every_bar_stays_in_its_chart_with_what_is_negative_before_zero(rows: list[tuple[int, ...]]) -> None:
    drawn = bars([sums(*row) for row in rows])
    assert len(drawn.bars) == len(rows)
    for row, bar in zip(rows, drawn.bars, strict=True):
        cents = {part.kind: part.cents for part in parts(sums(*row))}
        assert {piece.kind for piece in bar} == {kind for kind in PARTS if cents[kind]}
        for piece in bar:
            assert piece.start >= 0
            assert piece.start + piece.length <= 100.01
            before_zero = piece.start + piece.length <= drawn.zero + 0.01
            assert before_zero if cents[piece.kind] < 0 else piece.start >= drawn.zero - 0.01


def test_a_bar_has_its_parts_one_after_the_other_to_the_scale_of_the_longest() -> None:
    drawn = bars([sums(100, 60, 30), sums(-100, -100)])
    assert drawn.zero == 50
    assert [(piece.kind, piece.start, piece.length) for piece in drawn.bars[0]] == [
        ("statutory", 50, 30),
        ("complementary", 80, 15),
        ("left", 95, 5),
    ]
    assert [(piece.kind, piece.start, piece.length) for piece in drawn.bars[1]] == [("statutory", 0, 50)]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """With a key that the tests seal with."""
    with Gateway(COOKIE_KEYS=KEYS) as gateway:
        yield gateway


GLASSES = figures(50000, 20, 30000, 5000, deduction_cents=100)
TAKEN_BACK = figures(-3000, -1900, -900, taken_back_cents=-900)
LARGER = {"reimbursed_cents": 30700, "spent_cents": 52000, "left_to_pay_cents": 14980}
YEAR: dict[str, Any] = {
    "year": 2026,
    "years": [2026, 2024],
    "total": figures(47000, -1880, 29100, 5000, to_member_cents=30000, deduction_cents=100, taken_back_cents=-900),
    "months": [{"month": n, **(GLASSES if n == 3 else TAKEN_BACK if n == 4 else figures())} for n in range(1, 13)],
    "domains": [
        {"domain": "OPTI", **GLASSES, "in_list": LARGER},
        {"domain": "MED", **TAKEN_BACK, "in_list": {name: TAKEN_BACK[name] for name in LARGER}},
    ],
}
NOTHING = YEAR | {"total": figures(), "months": [{"month": n, **figures()} for n in range(1, 13)], "domains": []}


def tells(*told: Mapping[str, Any]) -> Answer:
    """claims, with a summary of each year; 422 for any other, this year by default."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        year = int(dict(parse_qsl(urlsplit(seen.target).query)).get("year", "2026"))
        found = [one for one in told if one["year"] == year]
        status = "200 OK" if found else "422 Unprocessable Content"
        body = found[0] if found else {"code": "validation", "errors": []}
        await say(writer, status, json.dumps(body).encode(), "Content-Type: application/json")

    return answer


async def shown(gateway: Gateway, path: str, answer: Answer, *headers: str) -> Answered:
    async with gateway.origin("claims", answer):
        return await Browser(gateway).get(path, *headers)


def words(page: Answered) -> str:
    """What is read on a page, its spaces made plain."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page.page)))


@pytest.mark.servers
async def test_a_year_says_who_paid_and_explains_what_is_below_zero(gateway: Gateway) -> None:
    page = await shown(gateway, "/remboursements/annee?annee=2026", tells(YEAR))
    text = words(page)
    assert page.status == 200
    for said in (
        "En 2026, vos dépenses de santé ont été de 470,00 € .",
        "La Sécurité sociale (Assurance Maladie) a repris 18,80 € .",
        "Plansanté, votre complémentaire, a payé 291,00 € .",
        "D’autres, par exemple une seconde mutuelle, ont payé 50,00 € .",
        "Il reste à votre charge 147,80 € .",
        "Plansanté vous a versé 300,00 € par virement.",
        "Plansanté a repris 9,00 € sur ce qui avait été payé à des professionnels de santé.",
        "Des remboursements ont été annulés : 9,00 € ont été repris.",
        "Des retenues de 1,00 € sont comprises dans la part de l’Assurance Maladie.",
        "dans la liste : 307,00 € remboursés sur 520,00 €",
        f"annulé : {MINUS}9,00 €",
    ):
        assert said in text, said
    assert "% de vos dépenses" not in text, "parts below zero are no shares"
    assert not re.search(r" style=| on\w+=|<style", page.page)


@pytest.mark.servers
async def test_each_sum_leads_to_its_list_at_an_address_that_tells_nothing(gateway: Gateway) -> None:
    page = await shown(gateway, "/remboursements/annee?annee=2026", tells(YEAR))
    found = re.findall(r'href="/remboursements\?filtre=([^"]+)">([^<]+)<', page.page)
    opened = {name.strip(): FilterTokens(KEYRING).open(LAURE, unescape(token)) for token, name in found}
    asked = {name: filters.query(today()) for name, filters in opened.items() if filters}
    whole = {"from": "2026-01-01", "to": "2026-12-31"}
    assert asked == {
        "mars 2026": {"from": "2026-03-01", "to": "2026-03-31"},
        "avril 2026": {"from": "2026-04-01", "to": "2026-04-30"},
        "Optique": whole | {"domain": "OPTI"},
        "Médecine": whole | {"domain": "MED"},
        "Voir tous les remboursements de 2026": whole,
    }
    assert not any("OPTI" in address or "2026-03" in address for address in re.findall('href="([^"]+)"', page.page))


@pytest.mark.servers
async def test_without_a_year_it_is_the_last_that_has_figures(gateway: Gateway) -> None:
    old = YEAR | {"year": 2024, "years": [2024]}
    page = await shown(gateway, "/remboursements/annee", tells(NOTHING | {"years": [2024]}, old))
    assert "Mon année 2024" in page.page
    assert 'aria-label="Choisir une année"' not in page.page, "there is but one"
    page = await shown(gateway, "/remboursements/annee", tells(YEAR), "Accept-Language: en")
    assert "My year 2026" in page.page
    assert re.findall(r'href="/remboursements/annee\?annee=(\d+)"( aria-current="page")?', page.page) == [
        ("2026", ' aria-current="page"'),
        ("2024", ""),
    ]


@pytest.mark.servers
async def test_a_year_without_anything_says_what_to_do(gateway: Gateway) -> None:
    page = await shown(gateway, "/remboursements/annee?annee=2026", tells(NOTHING | {"years": [2024]}))
    assert "Aucun remboursement en 2026." in page.page
    assert 'href="/remboursements/annee?annee=2024"' in page.page
    page = await shown(gateway, "/remboursements/annee", tells(NOTHING | {"years": []}))
    assert "Aucun remboursement pour l’instant." in page.page
    assert 'href="/documents/envoyer"' in page.page


@pytest.mark.servers
@pytest.mark.parametrize("path", ["/remboursements/annee", "/decomptes"])
async def test_a_year_that_is_none_is_a_page_that_says_so(gateway: Gateway, path: str) -> None:
    assert (await shown(gateway, f"{path}?annee=1789", tells(YEAR))).status == 404
    assert [(await shown(gateway, f"{path}?annee={bad}", tells(YEAR))).status for bad in ("20266", "x")] == [400, 400]


def pays(*paid_on: str) -> Answer:
    """claims, with a payment on each of these days; two of a year to a page."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        query = dict(parse_qsl(urlsplit(seen.target).query))
        days = [day for day in paid_on if day.startswith(query.get("year", ""))]
        page = days[2:] if query.get("cursor") == "next" else days[:2]
        body = {
            "items": [
                {"payment_id": f"P-{day}", "paid_on": day, "amount_cents": 700, "claim_count": 1,
                 "payees": [{"payee": "member", "payee_name": None}]}
                for day in page
            ],
            "next_cursor": "next" if len(days) > 2 and "cursor" not in query else None,
            "years": sorted({int(day[:4]) for day in paid_on}, reverse=True),
            "totals": {"payment_count": len(days), "amount_cents": 700 * len(days), "taken_back_cents": 0},
        }  # fmt: skip
        await say(writer, "200 OK", json.dumps(body).encode(), "Content-Type: application/json")

    return answer


def listed(page: Answered) -> list[str]:
    return re.findall(r'data-payment="P-([^"]+)"', page.page)


@pytest.mark.servers
async def test_statements_are_listed_by_year_with_its_sums_and_pages(gateway: Gateway) -> None:
    claims = pays("2026-11-20", "2026-06-01", "2026-01-02", "2024-12-31")
    page = await shown(gateway, "/decomptes", claims)
    assert listed(page) == ["2026-11-20", "2026-06-01"]
    assert "3 décomptes · 21,00 € payés en 2026" in words(page)
    assert re.findall(r'href="(/decomptes\?[^"]+)"( aria-current="page")?', page.page) == [
        ("/decomptes?annee=2026", ' aria-current="page"'),
        ("/decomptes?annee=2024", ""),
        ("/decomptes?annee=2026&amp;suite=next", ""),
    ]
    assert listed(await shown(gateway, "/decomptes?annee=2026&suite=next", claims)) == ["2026-01-02"]
    assert listed(await shown(gateway, "/decomptes?annee=2024", claims)) == ["2024-12-31"]
    assert "Aucun décompte en 2025." in (await shown(gateway, "/decomptes?annee=2025", claims)).page
    assert "Aucun décompte pour l’instant." in (await shown(gateway, "/decomptes", pays())).page
