"""CSV of claims: UTF-8, semicolons; the head's values, the columns' names, then a row for each event or paid line.

Rows of one paid claim follow one another: together they are one `ClaimPaid`. A column that an event does not have
stays empty.
"""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, BinaryIO, Final

from deploy.cli.feeds.parts import MAX_LINE_BYTES, Head, Lines, Written, head, refuse

_TYPES: Final = {
    "received": "ClaimReceived",
    "paid": "ClaimPaid",
    "refused": "ClaimRefused",
    "reversed": "ClaimReversed",
}
_CLAIM: Final = (
    *("claim_id", "member_number", "beneficiary_rank", "received_on", "label", "refused_on", "reason_code", "reason"),
    *("what_to_do", "reverses", "reversed_on", "amount_cents", "document_ids"),
)
_PAYMENT: Final = ("payment_id", "paid_on", "payee", "payee_name")
_LINE: Final = (
    *("line", "care_date", "act_code", "act_label", "domain", "quantity"),
    *("spent_cents", "base_cents", "statutory_cents", "complementary_cents", "other_cents"),
)
COLUMNS: Final = ("type", *_CLAIM, *_PAYMENT, *_LINE)
_HEAD: Final = ("feed", "made_at", "events", "amount_cents")
_NUMBERS: Final = frozenset(("beneficiary_rank", "amount_cents", "line", "quantity", *_LINE[6:]))

Row = Mapping[str, str]


def read(file: BinaryIO, *, now: datetime) -> tuple[Head, Lines]:
    """The head, and the events as JSON. Raises `InvalidFeed`."""
    lines = iter(lambda: file.readline(MAX_LINE_BYTES + 1), b"")
    rows = csv.reader(codecs.iterdecode(lines, "utf-8-sig"), delimiter=";", strict=True)
    found = _head(rows, now)
    names = next(rows, [])
    if unknown := [name for name in names if name not in COLUMNS]:
        refuse(f"unknown columns {', '.join(unknown)}; known are {', '.join(COLUMNS)}", line=2)
    if missing := [name for name in ("type", "claim_id", "member_number") if name not in names]:
        refuse(f"missing columns {', '.join(missing)}", line=2)
    return found, _events(rows, names)


def _head(rows: Iterator[list[str]], now: datetime) -> Head:
    try:
        first = next(rows, [])
    except (csv.Error, UnicodeDecodeError):
        refuse("neither JSON nor CSV in UTF-8")
    if len(first) != len(_HEAD):
        refuse(f"should be {';'.join(_HEAD)}, with the values of these")
    return head({name: _value(name, text) for name, text in zip(_HEAD, first, strict=True)}, now=now)


def _events(written: Any, names: Sequence[str]) -> Lines:
    for (kind, _, _, number), group in groupby(_numbered(written, names), key=_belongs_to()):
        found = [row for _, row in group]
        faults = [row for row in found if isinstance(row, str)]
        rows = [row for row in found if not isinstance(row, str)]
        differ = [name for name in (*_CLAIM, *_PAYMENT) if len({row.get(name) for row in rows}) > 1]
        if faults:
            yield Written(number, fault=faults[0])
        elif kind not in _TYPES:
            yield Written(number, fault=f"type: should be one of {', '.join(_TYPES)}")
        elif differ:
            yield Written(number, fault=f"the rows of this claim differ in {', '.join(differ)}")
        else:
            yield Written(number, json.dumps({"type": _TYPES[kind], "data": _data(kind, rows)}).encode())


def _numbered(rows: Any, names: Sequence[str]) -> Iterator[tuple[int, Row | str]]:
    """Each row with the number of its last line, or what is wrong with it."""
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError):
            yield rows.line_num, "not CSV in UTF-8; nothing after it was read"
            return
        if cells and len(cells) != len(names):
            yield rows.line_num, f"{len(cells)} columns instead of {len(names)}"
        elif cells:
            yield rows.line_num, dict(zip(names, cells, strict=True))


def _belongs_to() -> Any:
    """A key that is the same for the rows of one paid claim that follow one another, and carries their first number."""
    last: tuple[str, str, str, int] = ("", "", "", 0)

    def key(numbered: tuple[int, Row | str]) -> tuple[str, str, str, int]:
        nonlocal last
        number, row = numbered
        named = ("", "", "") if isinstance(row, str) else (row["type"], row["member_number"], row["claim_id"])
        if named[0] != "paid" or named != last[:3]:
            last = (*named, number)
        return last

    return key


def _data(kind: str, rows: Sequence[Row]) -> dict[str, Any]:
    first = rows[0]
    data = _filled(first, _CLAIM)
    if "document_ids" in data:
        data["document_ids"] = str(data["document_ids"]).split()
    if kind == "paid":
        data["payment"] = _filled(first, _PAYMENT)
        data["lines"] = [_filled(row, _LINE) for row in rows]
    return data


def _filled(row: Row, names: Iterable[str]) -> dict[str, Any]:
    return {name: _value(name, row[name]) for name in names if row.get(name)}


def _value(name: str, text: str) -> str | int:
    """Numbers as numbers; what is none stays text, for its contract to refuse."""
    digits = text.removeprefix("-")
    is_number = (name in _NUMBERS or name == "events") and digits.isascii() and digits.isdigit() and len(digits) < 20
    return int(text) if is_number else text
