"""Every page and state in English on a computer: a file of its own, so that two workers share the gallery."""

from __future__ import annotations

import pytest

from tests.e2e.gallery.rules import DESK, PHONE, expect_kept
from tests.e2e.gallery.states import STATES, TOO_OFTEN, State
from tests.e2e.gallery.visits import Gallery
from tests.stack import RunningPortal

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("state", [state for state in STATES if state.typed is None], ids=lambda state: state.name)
def test_a_page_keeps_the_rules_in_english_on_a_computer(gallery: Gallery, state: State) -> None:
    expect_kept(gallery, state, DESK, whole=False)


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_page_keeps_every_rule_in_english_on_a_computer(gallery: Gallery, state: State) -> None:
    expect_kept(gallery, state, DESK, whole=True)


def test_the_page_for_too_many_requests_keeps_the_rules(gallery: Gallery, portal: RunningPortal) -> None:
    try:
        for view in (PHONE, DESK):
            expect_kept(gallery, TOO_OFTEN, view, whole=True)
    finally:
        portal.restart("gateway")  # it counts in its memory: the tests after this one are let in again
