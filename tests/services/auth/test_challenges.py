"""Challenges and answers to them, as ALTCHA's own library makes and takes both."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.auth.challenges import Challenges
from services.auth.errors import ChallengeFailed
from tests.solving import answer

KEY = bytes(range(32))
CHALLENGES = Challenges(KEY, max_number=5, clock=lambda: datetime.now(UTC))


def _new(challenges: Challenges = CHALLENGES) -> dict[str, Any]:
    return challenges.new().model_dump(by_alias=True)


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    """A good answer with something else in it."""
    content = json.loads(base64.b64decode(answer(_new())))
    change(content)
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_a_challenge_has_the_form_of_altcha_and_five_minutes() -> None:
    before = datetime.now(UTC)
    challenge = _new()
    parameters = challenge["parameters"]
    assert set(parameters) == {
        "algorithm", "cost", "expiresAt", "keyLength", "keyPrefix", "keySignature", "nonce", "salt",
    }  # fmt: skip
    assert (parameters["algorithm"], parameters["keyLength"]) == ("PBKDF2/SHA-256", 32)
    left = datetime.fromtimestamp(parameters["expiresAt"], UTC) - before
    assert timedelta(minutes=5, seconds=-2) < left <= timedelta(minutes=5, seconds=2)


def test_an_answer_proves_its_challenge_and_no_other() -> None:
    first, second = _new(), _new()
    proof = CHALLENGES.checked(answer(first))
    assert proof == CHALLENGES.checked(answer(first))
    assert proof.key != CHALLENGES.checked(answer(second)).key
    assert first["signature"] not in proof.key
    assert proof.expires_at == datetime.fromtimestamp(first["parameters"]["expiresAt"], UTC)


def test_the_work_has_an_end() -> None:
    counters = set()
    for _ in range(60):
        content = json.loads(base64.b64decode(answer(_new())))
        counters.add(content["solution"]["counter"])
    assert counters == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent["solution"].update(derivedKey="00" * 32),
        lambda sent: sent["solution"].update(derivedKey=sent["challenge"]["parameters"]["keyPrefix"]),
        lambda sent: sent["solution"].pop("derivedKey"),
        lambda sent: sent["challenge"]["parameters"].update(expiresAt=4_000_000_000),
        lambda sent: sent["challenge"]["parameters"].update(keyPrefix=""),
        lambda sent: sent["challenge"]["parameters"].pop("keySignature"),
        lambda sent: sent["challenge"]["parameters"].pop("expiresAt"),
        lambda sent: sent["challenge"].update(signature="00" * 32),
        lambda sent: sent["challenge"].pop("signature"),
        lambda sent: sent["challenge"].update(parameters=[]),
    ],
)
def test_an_answer_that_was_changed_proves_nothing(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ChallengeFailed):
        CHALLENGES.checked(_changed(change))


@pytest.mark.parametrize("sent", ["", "?", "é", "bnVsbA==", "W10=", "e30=", "eyJjaGFsbGVuZ2UiOiAxfQ=="])
def test_what_is_no_answer_proves_nothing(sent: str) -> None:
    with pytest.raises(ChallengeFailed):
        CHALLENGES.checked(sent)


def test_an_answer_that_comes_late_or_from_elsewhere_proves_nothing() -> None:
    late = Challenges(KEY, max_number=5, clock=lambda: datetime.now(UTC) - timedelta(minutes=5, seconds=2))
    other = Challenges(KEY[::-1], max_number=5, clock=lambda: datetime.now(UTC))
    for challenges in (late, other):
        with pytest.raises(ChallengeFailed):
            CHALLENGES.checked(answer(_new(challenges)))
