"""The rank test by which the benchmark says whether two kinds of answers differ in time."""

import random

import pytest

from benchmarks.identity.timing import rank_test


def test_two_samples_wholly_apart_are_hardly_ever_chance() -> None:
    low, high = [float(n) for n in range(20)], [float(n) for n in range(100, 120)]
    assert rank_test(low, high) == pytest.approx(6.796e-8, rel=1e-3)  # z = 199.5 / sqrt(20 · 20 · 41 / 12)
    assert rank_test(high, low) == rank_test(low, high)


def test_values_that_are_all_alike_say_nothing() -> None:
    assert rank_test([1.0] * 30, [1.0] * 40) == 1.0


def test_ties_count_half_for_either_side() -> None:
    assert rank_test([1.0, 2.0, 2.0, 3.0] * 10, [1.0, 2.0, 2.0, 3.0] * 10) == 1.0


def test_one_kind_of_answers_is_told_apart_from_itself_as_often_as_chance_would() -> None:
    rng = random.Random(7)  # noqa: S311 - no secret
    runs = [rank_test(*[[rng.gauss(30, 3) for _ in range(200)] for _ in range(2)]) for _ in range(200)]
    assert 2 <= sum(p < 0.05 for p in runs) <= 20


def test_a_tenth_of_a_millisecond_shows_in_two_thousand_answers() -> None:
    rng = random.Random(7)  # noqa: S311 - no secret
    known, unknown = ([rng.gauss(mean, 1) for _ in range(2000)] for mean in (30.1, 30.0))
    assert rank_test(known, unknown) < 0.01
