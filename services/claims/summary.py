"""A member's year in figures: how paid lines are added up, and where a reversal takes them back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.claims.models import PaidLines

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
_LISTED: Final = ("amount_cents", "spent_cents", "left_to_pay_cents")
"""The figures of a claim that lists add up."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Integer cents, reversals subtracted; `to_member_cents` is what of `reimbursed_cents` no provider was paid.

    `taken_back_cents`: what reversals subtract from `reimbursed_cents`; `deduction_cents`: what deductions
    (participation forfaitaire, franchise) recover from `statutory_cents`. `claim_count` leaves out the claims that were
    taken back.
    """

    reimbursed_cents: int
    to_member_cents: int
    spent_cents: int
    statutory_cents: int
    other_cents: int
    deduction_cents: int
    taken_back_cents: int
    claim_count: int

    @property
    def left_to_pay_cents(self) -> int:
        """What the member pays themselves."""
        return self.spent_cents - self.statutory_cents - self.reimbursed_cents - self.other_cents


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of a domain's claims in a year added up, integer cents: each counts whole there."""

    reimbursed_cents: int
    spent_cents: int
    left_to_pay_cents: int


@dataclass(frozen=True, slots=True)
class DomainYear:
    """`sums` are of the acts of this domain alone; `in_list` of all acts of the claims that have one."""

    domain: str
    sums: Sums
    in_list: Listed


@dataclass(frozen=True, slots=True)
class Summary:
    """`months` are the twelve of the year; `domains` those that occur in it, largest first; `years` newest first."""

    year: int
    years: tuple[int, ...]
    total: Sums
    months: tuple[Sums, ...]
    domains: tuple[DomainYear, ...]


@dataclass(frozen=True, slots=True)
class _Move:
    """Lines that count in a month (`YYYY-MM`): +1 when they were paid, -1 when they were taken back."""

    month: str
    sign: int
    lines: PaidLines


def summary(year: int, found: Sequence[PaidLines]) -> Summary:
    """That year of a member of whom all these lines were paid.

    A claim that was taken back counts in the month it was paid in and is subtracted in the reversal's month: the list
    shows both lines under these months. It is taken back once and whole, however often its reversal is told.
    """
    moves = [_Move(lines.month, 1, lines) for lines in found]
    moves += [_Move(lines.taken_back, -1, lines) for lines in found if lines.taken_back]
    of_year = [move for move in moves if _year(move) == year]
    return Summary(
        year=year,
        years=tuple(sorted({y for y in map(_year, moves) if FIRST_YEAR <= y <= LAST_YEAR}, reverse=True)),
        total=_sums(of_year, _claims),
        months=tuple(_sums([m for m in of_year if int(m.month[5:]) == n], _claims) for n in range(1, 13)),
        domains=_by_domain(of_year),
    )


def _by_domain(moves: Sequence[_Move]) -> tuple[DomainYear, ...]:
    def of(domain: str) -> DomainYear:
        found = [m for m in moves if m.lines.domain == domain]
        return DomainYear(domain, _sums(found, lambda lines: lines.claims_of_domain), _listed(found))

    found = [of(domain) for domain in {m.lines.domain for m in moves}]
    return tuple(sorted(found, key=lambda one: (-one.sums.reimbursed_cents, one.domain)))


def _listed(moves: Sequence[_Move]) -> Listed:
    return Listed(
        reimbursed_cents=_column(moves, lambda lines: lines.listed_amount_cents),
        spent_cents=_column(moves, lambda lines: lines.listed_spent_cents),
        left_to_pay_cents=_column(moves, lambda lines: lines.listed_left_to_pay_cents),
    )


def _column(moves: Sequence[_Move], cents: Callable[[PaidLines], int]) -> int:
    return sum(move.sign * cents(move.lines) for move in moves)


def _sums(moves: Sequence[_Move], claims: Callable[[PaidLines], int]) -> Sums:
    return Sums(
        reimbursed_cents=_column(moves, lambda lines: lines.complementary_cents),
        to_member_cents=_column(moves, lambda lines: lines.complementary_cents if lines.payee == "member" else 0),
        spent_cents=_column(moves, lambda lines: lines.spent_cents),
        statutory_cents=_column(moves, lambda lines: lines.statutory_cents),
        other_cents=_column(moves, lambda lines: lines.other_cents),
        deduction_cents=_column(moves, lambda lines: lines.deduction_cents),
        taken_back_cents=_column([m for m in moves if m.sign < 0], lambda lines: lines.complementary_cents),
        claim_count=sum(claims(move.lines) for move in moves if not move.lines.taken_back),
    )


def _claims(lines: PaidLines) -> int:
    return lines.claims


def _year(move: _Move) -> int:
    return int(move.month[:4])


def added_up(which: dict[str, Any]) -> list[dict[str, Any]]:
    """The stages that add up the paid lines of stored claims into rows for `paid_lines`."""
    group = {
        "month": {"$substrCP": ["$date", 0, 7]},
        "taken_back": {"$substrCP": ["$taken_back.reversed_on", 0, 7]},  # empty where there is none
        "domain": "$by_domain.domain",
        "payee": "$payment.payee",
    }
    cents = ("spent_cents", "statutory_cents", "complementary_cents", "other_cents", "deduction_cents")
    return [
        {"$match": which | {"payment": {"$exists": True}}},
        {"$unwind": {"path": "$by_domain", "includeArrayIndex": "nth"}},
        {
            "$group": {
                "_id": group,
                **{name: {"$sum": f"$by_domain.{name}"} for name in cents},
                "claims": {"$sum": {"$cond": [{"$eq": ["$nth", 0]}, 1, 0]}},
                "claims_of_domain": {"$sum": 1},
                **{f"listed_{name}": {"$sum": f"$figures.{name}"} for name in _LISTED},
            }
        },
    ]


def paid_lines(rows: Iterable[dict[str, Any]]) -> list[PaidLines]:
    """The rows that `added_up` finds. A sum beyond 64 bits comes as a float."""
    return [PaidLines(**(row.pop("_id") | {name: int(value) for name, value in row.items()})) for row in rows]
