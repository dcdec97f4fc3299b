"""Intervals over problems and seeds, against slow forms and against worlds whose truth is known."""

from collections.abc import Callable
from itertools import combinations
from math import gamma, pi, sqrt
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.evaluate.seeds import (
    change_interval,
    change_p,
    noise,
    score_interval,
    seed_means,
    student_t,
)
from codeglot.evaluate.statistics import (
    Floats,
    Interval,
    difference_interval,
    macro_interval,
    mean_interval,
    permutation_test,
)

ends = st.sampled_from([0.0, 0.5, 1.0])


@st.composite
def outcomes(draw: st.DrawFn, low: float = 0.0, min_seeds: int = 1) -> list[Floats]:
    num_seeds = draw(st.integers(min_seeds, 4))
    values = st.sampled_from([low, 0.0, 0.5, 1.0])
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    return [
        np.array(draw(st.lists(st.lists(values, min_size=p, max_size=p), min_size=num_seeds, max_size=num_seeds)))
        for p in sizes
    ]


@pytest.mark.parametrize("degrees", [1, 2, 5, 10, 11, 15, 40, 200])
def test_students_t_leaves_five_per_cent_outside(degrees: int) -> None:
    bound = student_t(degrees)
    x = np.linspace(-bound, bound, 200_001)
    ratio = gamma((degrees + 1) / 2) / gamma(degrees / 2)
    density = ratio / sqrt(degrees * pi) * (1 + x**2 / degrees) ** (-(degrees + 1) / 2)
    assert float(np.trapezoid(density, x)) == pytest.approx(0.95, abs=2e-5)


@given(strata=outcomes())
def test_seed_means_are_means_of_means(strata: list[Floats]) -> None:
    slow = [
        sum(sum(stratum[seed]) / len(stratum[seed]) for stratum in strata) / len(strata)
        for seed in range(len(strata[0]))
    ]
    assert seed_means(strata) == pytest.approx(slow)


@given(means=st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_noise_is_the_spread_between_seeds(means: list[float]) -> None:
    found = noise(means)
    assert found is not None
    assert found.sd == pytest.approx(stdev(means), abs=1e-9)
    assert found.largest == pytest.approx(max(abs(a - b) for a, b in combinations(means, 2)))
    assert noise(means[:1]) is None


@settings(deadline=None, max_examples=30)
@given(strata=outcomes(low=-1.0))
def test_one_seed_leaves_the_interval_over_problems(strata: list[Floats]) -> None:
    first = [stratum[:1] for stratum in strata]
    assert change_interval(first) == pytest.approx(difference_interval([list(s[0]) for s in first]))


@settings(deadline=None, max_examples=30)
@given(strata=outcomes(min_seeds=2))
def test_seeds_only_widen_an_interval_and_leave_it_in_range(strata: list[Floats]) -> None:
    low, high = score_interval(strata)
    inner_low, inner_high = macro_interval([list(stratum.mean(axis=0)) for stratum in strata])
    mean = sum(seed_means(strata)) / len(strata[0])
    assert 0.0 <= low <= inner_low + 1e-9
    assert inner_high - 1e-9 <= high <= 1.0
    assert low - 1e-9 <= mean <= high + 1e-9


@settings(deadline=None, max_examples=20)
@given(strata=outcomes(low=-1.0, min_seeds=2))
def test_order_of_seeds_does_not_matter(strata: list[Floats]) -> None:
    assert change_interval([stratum[::-1] for stratum in strata]) == pytest.approx(change_interval(strata))


def test_seeds_that_agree_add_nothing() -> None:
    values = [1.0] * 12 + [0.0] * 20 + [-1.0] * 3
    assert change_interval([np.array([values] * 5)]) == pytest.approx(difference_interval([values]))
    assert score_interval([np.array([[1.0, 0.0, 1.0]] * 5)]) == pytest.approx(mean_interval([1.0, 0.0, 1.0]))


def test_seeds_that_disagree_without_problems_in_doubt_give_students_interval() -> None:
    by_seed = [0.10, 0.14, 0.18]
    stratum = np.repeat(np.array(by_seed)[:, None], 2000, axis=1)
    low, high = change_interval([stratum])
    half = 4.302653 * stdev(by_seed) / sqrt(3)
    wilson = difference_interval([[0.14] * 2000])
    assert high - 0.14 == pytest.approx(sqrt(half**2 + (wilson[1] - 0.14) ** 2), rel=1e-3)
    assert 0.14 - low >= half


@settings(deadline=None, max_examples=30)
@given(strata=outcomes(low=-1.0))
def test_p_permutes_problems_with_each_language_weighing_the_same(strata: list[Floats]) -> None:
    slow = [
        sum(stratum[:, problem]) / len(stratum) / stratum.shape[1]
        for stratum in strata
        for problem in range(stratum.shape[1])
    ]
    assert change_p(strata) == pytest.approx(permutation_test(slow))


def world(rng: np.random.Generator, num_seeds: int, num_problems: int) -> list[Floats]:
    """Differences of two methods on two languages: a true mean of 0.1, and 0.05 between seeds."""
    seeds = rng.normal(0.0, 0.05, num_seeds)[:, None]
    strata = []
    for _ in range(2):
        chance = 0.45 + rng.uniform(-0.2, 0.2, num_problems)[None, :]
        better = rng.random((num_seeds, num_problems)) < chance + 0.1 + seeds
        strata.append(better.astype(float) - (rng.random((1, num_problems)) < chance))
    return strata


def coverage(interval: Callable[[list[Floats]], Interval], num_seeds: int, num_problems: int) -> float:
    rng = np.random.default_rng(11)
    found = [interval(world(rng, num_seeds, num_problems)) for _ in range(300)]
    return sum(low <= 0.1 <= high for low, high in found) / len(found)


def resampled(strata: list[Floats]) -> Interval:
    """The plain bootstrap of seeds and problems."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(200):
        seeds = rng.integers(0, len(strata[0]), len(strata[0]))
        means.append(np.mean([s[seeds][:, rng.integers(0, s.shape[1], s.shape[1])].mean() for s in strata]))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [2, 3, 5])
@pytest.mark.parametrize("num_problems", [60, 1000])
def test_intervals_hold_the_truth_as_often_as_they_say(num_seeds: int, num_problems: int) -> None:
    assert coverage(change_interval, num_seeds, num_problems) >= 0.93


@pytest.mark.slow
def test_resampling_three_seeds_would_claim_too_much() -> None:
    assert coverage(resampled, 3, 1000) < 0.85
