"""The rules of the third-party-payment card, pure: which one is in force on a day, and what stands in its grid."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, get_args

from services.claims.models import CoverageKey, Fact, Member
from shared import clock
from shared.events.fields import Domain
from shared.events.membership import Coverage, Guarantee

DOMAINS: Final[tuple[Domain, ...]] = get_args(Domain)
"""The grid's columns, in the order of the user guide's card."""

_REFERENCE = re.compile(r"\(([0-9A-Za-z*]{1,3})\)")


@dataclass(frozen=True, slots=True)
class Cell:
    """What is paid for one person in one domain. `notes`: the marks of the footnotes that `level` refers to."""

    operator: str
    level: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Insured:
    """One beneficiary with their row of the grid, a cell or None for each of `DOMAINS`. `nir` is sealed."""

    rank: int
    first_name: str
    last_name: str
    birth_date: str
    nir: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The card in force on a day. `valid_until` is the membership's last day where that comes first."""

    member_number: str
    coverage: Coverage
    valid_until: date
    insured: tuple[Insured, ...]
    next_valid_from: date | None

    @property
    def operators(self) -> tuple[str | None, ...]:
        """The grid's row of operators, one for each of `DOMAINS`: None where people differ, or nobody has any."""
        return tuple(_shared_by_all(person.cells[column] for person in self.insured) for column in range(len(DOMAINS)))


def today() -> date:
    """The day it is in France: cards begin and end at midnight there."""
    return clock.day_in_france(clock.now())


def card_on(member: Member, day: date) -> Card | None:
    """The member's card on that day; None where no period holds it or the membership has ended.

    Of periods that overlap the one that begins last is in force, and of those that begin together the newest told.
    """
    end = ended_on(member)
    held = [fact for fact in member.coverages.values() if fact.value.valid_from <= day <= fact.value.valid_until]
    if not held or (end is not None and day > end):
        return None
    coverage = max(held, key=_precedence).value
    return Card(
        member_number=member.member_number,
        coverage=coverage,
        valid_until=min(coverage.valid_until, end or date.max),
        insured=tuple(_insured(person, coverage) for person in _people(member)),
        next_valid_from=next_valid_from(member, day),
    )


def next_valid_from(member: Member, day: date) -> date | None:
    """When the card after the one of that day begins, as far as it is known."""
    end = ended_on(member) or date.max
    later = [begins for begins in _beginnings(member) if day < begins <= end]
    return min(later, default=None)


def ended_on(member: Member) -> date | None:
    """The last day of the membership, if it ends."""
    fact = member.facts.get("ended_on")
    return date.fromisoformat(fact.value) if fact and fact.value else None


def renewed(before: Member, after: Member, day: date) -> date | None:
    """When the period begins that `after` knows beyond all that `before` knew; None where there is none to announce.

    A first period is no renewal, a correction neither, nor one that is over or that the membership's end precedes.
    """
    if not before.coverages:
        return None
    known, end = max(_beginnings(before)), ended_on(after) or date.max
    new = [fact.value for period, fact in after.coverages.items() if period not in before.coverages]
    return max(
        (period.valid_from for period in new if known < period.valid_from <= end and period.valid_until >= day),
        default=None,
    )


def overlaps(before: Member, after: Member) -> int:
    """How many of the periods that changed from `before` to `after` share a day with another: one goes before it.

    Contract management is not meant to tell such periods; which of them is in force says `card_on`.
    """
    changed = [period for period, fact in after.coverages.items() if before.coverages.get(period) is not fact]
    return sum(any(_meet(after, period, other) for other in after.coverages) for period in changed)


def _meet(member: Member, period: CoverageKey, other: CoverageKey) -> bool:
    one, two = member.coverages[period].value, member.coverages[other].value
    return period != other and max(one.valid_from, two.valid_from) <= min(one.valid_until, two.valid_until)


def footnotes(coverage: Coverage) -> tuple[tuple[str, str], ...]:
    """(mark, text) as they stand below the grid: 1, 2, 10, then letters and the star."""
    return tuple(sorted((coverage.footnotes or {}).items(), key=lambda note: (_number(note[0]), note[0])))


def _number(mark: str) -> int:
    return int(mark) if mark.isdecimal() else 1000  # marks have three characters at most


def _beginnings(member: Member) -> list[date]:
    return [fact.value.valid_from for fact in member.coverages.values()]


def _precedence(fact: Fact[Coverage]) -> tuple[date, tuple[datetime, str]]:
    return fact.value.valid_from, fact.order


def _people(member: Member) -> Iterable[Mapping[str, str]]:
    known = member.facts.get("beneficiaries")
    return sorted(known.value if known else (), key=lambda person: int(person["rank"]))


def _insured(person: Mapping[str, str], coverage: Coverage) -> Insured:
    rank = int(person["rank"])
    return Insured(
        rank=rank,
        first_name=person["first_name"],
        last_name=person["last_name"],
        birth_date=person["birth_date"],
        nir=person["nir"],
        cells=tuple(_cell(coverage, domain, rank) for domain in DOMAINS),
    )


def _cell(coverage: Coverage, domain: Domain, rank: int) -> Cell | None:
    """What holds for this person: a guarantee that names them before one for all, the last told of equals."""
    held = [one for one in coverage.guarantees if one.domain == domain and _covers(one, rank)]
    if not held:
        return None
    guarantee = max(reversed(held), key=lambda one: one.ranks is not None)
    marks = _REFERENCE.findall(guarantee.level)
    notes = tuple(mark for mark in marks if mark in (coverage.footnotes or {}))
    return Cell(guarantee.operator, guarantee.level, notes)


def _shared_by_all(column: Iterable[Cell | None]) -> str | None:
    """What those who have a cell have in common."""
    operators = {cell.operator for cell in column if cell}
    return operators.pop() if len(operators) == 1 else None


def _covers(guarantee: Guarantee, rank: int) -> bool:
    return guarantee.ranks is None or rank in guarantee.ranks
