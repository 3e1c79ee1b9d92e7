"""Answers to ALTCHA challenges, as a client that is no browser makes them: with ALTCHA's own library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altcha


def answer(challenge: Mapping[str, Any]) -> str:
    """The `altcha` of a request, for what `GET /challenges` answered."""
    asked = altcha.Challenge.from_dict(dict(challenge))
    solution = altcha.solve_challenge(asked)
    assert solution
    return altcha.Payload(asked, solution).to_base64()
