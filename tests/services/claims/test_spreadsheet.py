"""The list as CSV: what a spreadsheet makes of it, whatever publishers wrote into their texts."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims import rules, spreadsheet
from services.claims.models import Claim, Reimbursement
from services.claims.spreadsheet import money_cell, text_cell
from tests.services.claims.examples import MEMBER, event, line, paid, received, refused, reversed_

FORMULA = tuple("=+-@＝＋－＠")
BAD_TEXTS = st.text(st.sampled_from(" =+-@\t\r\n,;|\"'ax＝"), max_size=12) | st.text(max_size=12)


def reimbursement(*facts: Any, first_name: str | None = "Hugo", original: Claim | None = None) -> Reimbursement:
    held = Claim(MEMBER, facts[0].claim_id)
    for second, fact in enumerate(facts):
        held, _ = rules.merge(held, event(fact, second))
    listing = rules.listing(held, original)
    assert listing is not None
    return Reimbursement(held, listing, first_name)


def read(text: str, delimiter: str = ";") -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))


def test_one_row_a_claim_with_numbers_as_french_spreadsheets_read_them() -> None:
    claim = reimbursement(
        paid("R-1", line(spent_cents=123456, statutory_cents=-5), payee_name="PHARMACIE", paid_on=date(2026, 11, 2))
    )
    taken_back = reimbursement(reversed_("V-1", "R-1"), original=claim.claim)
    text = spreadsheet.headings() + spreadsheet.rows([claim, reimbursement(refused("R-2")), taken_back])
    assert text.startswith("\ufeff" + '"Date";"Statut";')
    assert text.endswith("\r\n")
    headings, *rows = read(text.removeprefix("\ufeff"))
    assert headings == list(spreadsheet.HEADINGS)
    assert rows == [
        [
            *("2026-11-02", "Payé", "Hugo", "Pharmacie 65 %", "Pharmacie"),
            *("1234,56", "20,00", "-0,05", "7,00", "0,00", "1227,61"),
            *("PHARMACIE", "R-1", "P-1"),
        ],
        ["2026-11-15", "Refusé", "Hugo", *[""] * 9, "R-2", ""],
        [
            *("2026-11-25", "Annulation", "Hugo", "", "Pharmacie"),
            *("-1234,56", "-20,00", "0,05", "-7,00", "0,00", "-1227,61"),
            *("", "V-1", ""),
        ],
    ]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Pharmacie 65 %", "Pharmacie 65 %"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("  +33", "  '+33"),
        ("-10 %", "'-10 %"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", " '=1"),
        ("\r\n=1", " '=1"),
        ("x,=1+1", "x,'=1+1"),
        ('x,"=1+1', "x,\"'=1+1"),
        ("Couronne céramo-métallique", "Couronne céramo-métallique"),
    ],
)
def test_no_text_is_a_formula(text: str, cell: str) -> None:
    assert text_cell(text) == cell


@given(st.lists(BAD_TEXTS, min_size=1, max_size=3), st.sampled_from(";,|"))
def test_no_cell_begins_a_formula_whatever_separates_them(texts: list[str], delimiter: str) -> None:
    claim = reimbursement(received("R-1"), first_name=" ".join(texts))
    label = spreadsheet.written([[text_cell(text) for text in texts], *read(spreadsheet.rows([claim]))])
    for row in read(label, delimiter):
        for cell in row:
            assert not cell.lstrip().lstrip("\ufeff").startswith(FORMULA), cell


@given(st.lists(BAD_TEXTS, max_size=4))
def test_every_text_stays_in_its_own_cell(texts: list[str]) -> None:
    [*rows] = read(spreadsheet.written([["first", *map(text_cell, texts), "last"]]))
    assert rows == [["first", *map(text_cell, texts), "last"]]
    assert not any(sign in cell for cell in rows[0] for sign in "\t\r\n")


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_amount_is_the_same_to_the_cent(cents: int) -> None:
    whole, _, rest = money_cell(cents).partition(",")
    assert int(whole.lstrip("-")) * 100 + int(rest) == abs(cents)
    assert whole.startswith("-") == (cents < 0)
