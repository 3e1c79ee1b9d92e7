"""A year's figures as its page shows them: who paid which part, in what share, and the pieces of its charts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from services.gateway.schemas.reimbursements import DomainFigures, Figures

PARTS: Final = ("statutory", "complementary", "other", "left")
"""Of what was spent, in the order of every table and chart: they add up to it."""
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Part:
    """`percent` of what was spent, all together 100; None where a part is negative or nothing was spent."""

    kind: str
    cents: int
    percent: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One part in a bar: where it begins and how long it is, in percent of the chart's whole length."""

    kind: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars to one scale. `zero`: where they begin, in percent; what is negative lies before it."""

    zero: float
    bars: tuple[tuple[Piece, ...], ...]


def parts(of: Figures) -> tuple[Part, ...]:
    """Who paid what of it."""
    cents = _cents(of)
    shares = _shares(cents) if of.spent_cents > 0 and min(cents) >= 0 else [None] * len(cents)
    return tuple(Part(*one) for one in zip(PARTS, cents, shares, strict=True))


def bars(all_of: Sequence[Figures]) -> Bars:
    """Each as a bar of its parts: what was paid from zero on, what was taken back before it."""
    before = max((-sum(_negative(_cents(of))) for of in all_of), default=0)
    whole = before + max((sum(_positive(_cents(of))) for of in all_of), default=0) or 1

    def percent(cents: int) -> float:
        return round(_WHOLE * (before + cents) / whole, 2)

    def pieces(of: Figures) -> Iterator[Piece]:
        for side in (_negative(_cents(of)), _positive(_cents(of))):
            ends = accumulate(side)
            for kind, cents, end in zip(PARTS, side, ends, strict=True):
                if cents:
                    first, last = sorted((percent(end - cents), percent(end)))
                    yield Piece(kind, first, round(last - first, 2))

    return Bars(percent(0), tuple(tuple(pieces(of)) for of in all_of))


def is_told(of: Figures) -> bool:
    """Whether anything happened: paid, taken back, or both."""
    return any((of.claim_count, of.taken_back_cents, of.spent_cents, *_cents(of)))


def counts_less_than_its_list(of: DomainFigures) -> bool:
    """Whether claims of this domain have acts of others too: their list shows them whole."""
    own = of.reimbursed_cents, of.spent_cents, of.left_to_pay_cents
    whole = of.in_list
    return whole is not None and own != (whole.reimbursed_cents, whole.spent_cents, whole.left_to_pay_cents)


def _cents(of: Figures) -> tuple[int, ...]:
    return of.statutory_cents, of.reimbursed_cents, of.other_cents, of.left_to_pay_cents


def _positive(cents: Sequence[int]) -> list[int]:
    return [max(one, 0) for one in cents]


def _negative(cents: Sequence[int]) -> list[int]:
    return [min(one, 0) for one in cents]


def _shares(cents: Sequence[int]) -> list[int]:
    """Whole percents that add up to 100: those that lose most by rounding down are rounded up."""
    whole = sum(cents)
    rounded = [_WHOLE * one // whole for one in cents]
    by_loss = sorted(range(len(cents)), key=lambda n: -(_WHOLE * cents[n] % whole))
    for n in by_loss[: _WHOLE - sum(rounded)]:
        rounded[n] += 1
    return rounded
