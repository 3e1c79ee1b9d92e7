"""The rules that every page keeps, and what is said of a page that breaks some."""

from __future__ import annotations

from tests.e2e.gallery import measures
from tests.e2e.gallery.states import State
from tests.e2e.gallery.visits import Gallery, View

SETTLED_S = 0.4
"""What comes late on a machine of our own is there by then."""
PHONE, DESK = View("fr", 360), View("en", 1280)


def expect_kept(gallery: Gallery, state: State, view: View, *, whole: bool) -> None:
    """`whole`: what takes its time too, axe and what moves within a second."""
    with gallery.open(state, view) as visit:
        page = visit.page
        faults = measures.structure(page, view.language) + measures.basics(page)
        if whole:
            faults += measures.axe(page)
            visit.settle(SETTLED_S)
        faults += measures.shifts(page) + visit.faults
        faults += measures.targets(page)  # last: it scrolls
    expect_none(state, faults)


def expect_none(state: State, faults: list[str]) -> None:
    """All faults of a page at once."""
    assert not faults, "\n".join([state.name, *faults])
