"""Intervals and tests, against slow forms and against worlds whose truth is known."""

from collections import Counter
from collections.abc import Hashable
from itertools import product
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.evaluate.statistics import (
    Interval,
    contributions,
    difference_interval,
    holm,
    macro_interval,
    mcnemar,
    mean_interval,
    permutation_test,
    wilson_interval,
)

shares = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def enumerated_quantiles(strata: list[list[float]]) -> dict[float, tuple[float, float]]:
    """For each tail the values between which an exact bootstrap quantile may lie, give or take 1.5 % of probability."""
    per_stratum = [
        Counter(round(sum(draw) / len(values), 9) for draw in product(values, repeat=len(values))) for values in strata
    ]
    means: Counter[float] = Counter()
    for combination in product(*(counts.items() for counts in per_stratum)):
        weight = 1
        for _, count in combination:
            weight *= count
        means[round(sum(value for value, _ in combination) / len(strata), 9)] += weight
    total = sum(means.values())

    def quantile(q: float) -> float:
        running = 0
        for value in sorted(means):
            running += means[value]
            if running / total >= q:
                return value
        return max(means)

    return {tail: (quantile(tail - 0.015), quantile(tail + 0.015)) for tail in (0.025, 0.975)}


@settings(deadline=None, max_examples=30)
@given(values=st.lists(shares, min_size=2, max_size=6).filter(lambda values: len(set(values)) > 1))
def test_bootstrap_quantiles_are_those_of_all_possible_resamples(values: list[float]) -> None:
    exact = enumerated_quantiles([values])
    low, high = mean_interval(values)
    assert exact[0.025][0] - 1e-9 <= low <= exact[0.025][1] + 1e-9
    assert exact[0.975][0] - 1e-9 <= high <= exact[0.975][1] + 1e-9


@settings(deadline=None, max_examples=20)
@given(
    strata=st.lists(st.lists(shares, min_size=2, max_size=4).filter(lambda v: len(set(v)) > 1), min_size=2, max_size=3)
)
def test_macro_bootstrap_resamples_within_each_language(strata: list[list[float]]) -> None:
    exact = enumerated_quantiles(strata)
    low, high = macro_interval(strata)
    assert exact[0.025][0] - 1e-9 <= low <= exact[0.025][1] + 1e-9
    assert exact[0.975][0] - 1e-9 <= high <= exact[0.975][1] + 1e-9


def test_bootstrap_agrees_with_resampling_one_problem_at_a_time() -> None:
    values = [1.0] * 60 + [0.5] * 20 + [0.0] * 84
    rng = np.random.default_rng(7)
    slow = [sum(values[i] for i in rng.integers(0, len(values), len(values))) / len(values) for _ in range(4000)]
    assert mean_interval(values) == pytest.approx(tuple(np.quantile(slow, (0.025, 0.975))), abs=0.008)


def test_intervals_are_the_same_every_time() -> None:
    values = [1.0, 0.0, 0.5, 1.0, 0.0]
    assert mean_interval(values) == mean_interval(values)
    assert macro_interval([values, values[1:]]) == macro_interval([values, values[1:]])


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_problems_that_all_scored_alike_get_wilsons_interval(value: float) -> None:
    assert mean_interval([value] * 30) == wilson_interval(30 * value, 30)


@given(n=st.integers(1, 500), data=st.data())
def test_wilson_bounds_solve_the_score_equation(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    z = 1.959963984540054
    for bound in wilson_interval(successes, n):
        if 0 < bound < 1:
            assert abs(successes / n - bound) == pytest.approx(z * sqrt(bound * (1 - bound) / n), rel=1e-6)


def test_wilson_knows_the_textbook_case() -> None:
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_one_language_without_spread_still_widens_the_macro_interval() -> None:
    low, high = macro_interval([[1.0] * 50, [1.0] * 49 + [0.0]])
    assert low < (wilson_interval(50, 50)[0] + 1) / 2 < 0.99 < high <= 1.0


def test_macro_of_one_language_is_the_language() -> None:
    assert macro_interval([[1.0] * 9]) == pytest.approx(mean_interval([1.0] * 9))


Rows = list[tuple[list[float], list[Hashable]]]
"""Per language values, and the origin of each."""


@st.composite
def shared(draw: st.DrawFn, values: st.SearchStrategy[float] = shares, *, is_whole: bool = False) -> Rows:
    """Languages that have all of the same origins, or some each."""
    origins = list(range(draw(st.integers(1, 6))))
    rows: Rows = []
    for _ in range(draw(st.integers(1, 3))):
        mine = origins if is_whole else draw(st.lists(st.sampled_from(origins), min_size=1, unique=True))
        rows.append((draw(st.lists(values, min_size=len(mine), max_size=len(mine))), list(draw(st.permutations(mine)))))
    return rows


def split(rows: Rows) -> tuple[list[list[float]], list[list[Hashable]]]:
    return [values for values, _ in rows], [origins for _, origins in rows]


def whole_draws(rows: Rows, count: int) -> list[float]:
    """The obvious form of the cluster bootstrap: draw origins, take all their rows, average languages."""
    by_origin = [dict(zip(origins, values, strict=True)) for values, origins in rows]
    known = list(by_origin[0])
    rng = np.random.default_rng(5)
    means = []
    for _ in range(count):
        drawn = [known[place] for place in rng.integers(0, len(known), len(known))]
        means.append(float(np.mean([[mine[origin] for origin in drawn] for mine in by_origin])))
    return means


@settings(deadline=None, max_examples=25)
@given(rows=shared(is_whole=True).filter(lambda rows: all(len(set(values)) > 1 for values, _ in rows)))
def test_an_origin_is_drawn_once_for_all_languages_that_have_it(rows: Rows) -> None:
    by_origin = [dict(zip(origins, values, strict=True)) for values, origins in rows]
    units = [sum(mine[origin] for mine in by_origin) / len(rows) for origin in by_origin[0]]
    if max(units) - min(units) < 1e-9:
        return  # languages that cancel each other: below
    exact = enumerated_quantiles([units])
    low, high = macro_interval(*split(rows))
    assert exact[0.025][0] - 1e-9 <= low <= exact[0.025][1] + 1e-9
    assert exact[0.975][0] - 1e-9 <= high <= exact[0.975][1] + 1e-9


def correlated(rng: np.random.Generator, num_languages: int, num_problems: int) -> Rows:
    """Passes of problems that are hard in all languages or in none; their true mean is 0.4."""
    chances = rng.beta(0.4, 0.6, num_problems)
    keys: list[Hashable] = list(range(num_problems))
    return [((rng.random(num_problems) < chances).astype(float).tolist(), keys) for _ in range(num_languages)]


def test_the_cluster_bootstrap_agrees_with_drawing_whole_problems() -> None:
    rows = correlated(np.random.default_rng(3), 6, 80)
    slow = tuple(np.quantile(whole_draws(rows, 3000), (0.025, 0.975)))
    assert macro_interval(*split(rows)) == pytest.approx(slow, abs=0.008)
    low, high = macro_interval([values for values, _ in rows])
    assert high - low < 0.6 * (slow[1] - slow[0])


def test_languages_that_lack_some_origins_agree_with_drawing_whole_problems() -> None:
    rng = np.random.default_rng(4)
    rows = correlated(rng, 4, 120)
    kept: Rows = []
    for values, keys in rows:
        there = np.flatnonzero(rng.random(120) < 0.8)
        kept.append(([values[place] for place in there], [keys[place] for place in there]))
    by_origin = [dict(zip(origins, values, strict=True)) for values, origins in kept]
    slow = []
    for _ in range(3000):
        drawn = rng.integers(0, 120, 120).tolist()
        slow.append(np.mean([np.mean([mine[key] for key in drawn if key in mine]) for mine in by_origin]))
    assert macro_interval(*split(kept)) == pytest.approx(tuple(np.quantile(slow, (0.025, 0.975))), abs=0.01)


@settings(deadline=None, max_examples=25)
@given(rows=shared(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])))
def test_origins_that_no_two_problems_share_change_nothing(rows: Rows) -> None:
    strata, origins = split(rows)
    own: list[list[Hashable]] = [[(place, key) for key in keys] for place, keys in enumerate(origins)]
    assert difference_interval(strata, own) == difference_interval(strata)
    assert contributions(strata, own) == contributions(strata)
    assert contributions(strata) == [value / len(values) for values in strata for value in values]


@settings(deadline=None, max_examples=25)
@given(values=st.lists(shares, min_size=1, max_size=9), count=st.integers(1, 5))
def test_the_same_answers_in_more_languages_are_no_more_evidence(values: list[float], count: int) -> None:
    keys: list[list[Hashable]] = [list(range(len(values)))] * count
    assert macro_interval([values] * count, keys) == pytest.approx(macro_interval([values]), abs=1e-9)
    assert difference_interval([values] * count, keys) == pytest.approx(difference_interval([values]), abs=1e-9)
    assert permutation_test(contributions([values] * count, keys)) == pytest.approx(permutation_test(values))


def test_languages_that_cancel_each_other_are_not_certain() -> None:
    values = [1.0, -1.0, 0.5, 0.0, 0.0, -0.5]
    mirrored = [-value for value in values]
    low, high = difference_interval([values, mirrored], [range(6), range(6)])
    alone = difference_interval([values])
    assert high - low == pytest.approx(alone[1] - alone[0], abs=0.05)
    assert permutation_test(contributions([values, mirrored], [range(6), range(6)])) == 1.0


def test_a_language_without_spread_adds_its_own_interval_in_full() -> None:
    values = [1.0] * 12 + [0.0] * 20
    low, high = macro_interval([values, [0.0] * 32], [range(32), range(32)])
    bounds = mean_interval(values)
    assert (low, high) == pytest.approx((bounds[0] / 2, (bounds[1] + wilson_interval(0, 32)[1]) / 2))


@given(rows=shared(st.sampled_from([-1.0, -0.5, 0.0, 1.0])))
def test_a_permutation_changes_the_sign_of_whole_origins(rows: Rows) -> None:
    strata, origins = split(rows)
    known = sorted({key for keys in origins for key in keys}, key=str)
    totals = []
    for signs in product((-1, 1), repeat=len(known)):
        sign = dict(zip(known, signs, strict=True))
        flipped = [
            sum(sign[key] * v for v, key in zip(values, keys, strict=True)) / len(values) for values, keys in rows
        ]
        totals.append(abs(sum(flipped)))
    observed = totals[-1] - 1e-9
    slow = sum(total >= observed for total in totals) / len(totals)
    assert permutation_test(contributions(strata, origins)) == pytest.approx(slow)


@pytest.mark.slow
@pytest.mark.parametrize("num_problems", [60, 320])
def test_intervals_over_languages_hold_the_truth_as_often_as_they_say(num_problems: int) -> None:
    def covers(found: Interval) -> bool:
        return found[0] <= 0.4 <= found[1]

    rng = np.random.default_rng(12)
    worlds = [correlated(rng, 8, num_problems) for _ in range(500)]
    clustered = [covers(macro_interval(*split(rows))) for rows in worlds]
    independent = [covers(macro_interval([values for values, _ in rows])) for rows in worlds]
    assert np.mean(clustered) >= 0.93
    assert np.mean(independent) < 0.8


@pytest.mark.slow
def test_p_over_languages_finds_no_difference_as_often_as_it_says() -> None:
    """Two equal runs whose differences hang together over languages: 5 % of p are below 0.05, not more."""
    rng = np.random.default_rng(13)
    keys = [range(60)] * 8
    clustered, independent = [], []
    for _ in range(400):
        leaning = rng.normal(0.0, 1.5, 60)
        strata = [np.sign(np.round(leaning + rng.normal(0.0, 1.0, 60))).tolist() for _ in range(8)]
        clustered.append(permutation_test(contributions(strata, keys)) < 0.05)
        independent.append(permutation_test(contributions(strata)) < 0.05)
    assert np.mean(clustered) <= 0.075
    assert np.mean(independent) > 0.2


@pytest.mark.parametrize(("value", "sign"), [(1.0, 1), (-1.0, -1)])
def test_a_difference_in_every_problem_is_not_certain(value: float, sign: int) -> None:
    low, high = difference_interval([[value] * 20])
    assert sorted((abs(low), abs(high))) == pytest.approx(list(wilson_interval(20, 20)))
    assert (low > 0) == (sign > 0)


def test_no_difference_at_all_leaves_room_on_both_sides() -> None:
    low, high = difference_interval([[0.0] * 20])
    assert (low, high) == (-wilson_interval(0, 20)[1], wilson_interval(0, 20)[1])


def test_reversing_a_difference_reverses_its_interval() -> None:
    values = [1.0] * 12 + [0.0] * 20 + [-1.0] * 3
    low, high = difference_interval([values])
    mirrored = difference_interval([[-value for value in values]])
    assert mirrored == pytest.approx((-high, -low), abs=0.02)


@given(first=st.integers(0, 12), second=st.integers(0, 12))
def test_mcnemar_counts_every_way_the_discordant_problems_could_fall(first: int, second: int) -> None:
    n = first + second
    extreme = sum(comb(n, i) for i in range(n + 1) if abs(2 * i - n) >= abs(first - second))
    assert mcnemar(first, second) == pytest.approx(extreme / 2**n)


def test_mcnemar_stays_in_range_for_thousands_of_problems() -> None:
    assert mcnemar(3000, 3000) == 1.0
    assert 0 < mcnemar(2900, 3100) < 0.02


def test_mcnemar_knows_a_published_value() -> None:
    assert mcnemar(1, 9) == pytest.approx(0.021484375)


@given(signs=st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=12))
def test_permutation_of_unit_differences_is_mcnemar(signs: list[float]) -> None:
    assert permutation_test(signs) == pytest.approx(mcnemar(signs.count(-1.0), signs.count(1.0)))


@given(differences=st.lists(st.sampled_from([-0.75, -0.2, 0.1, 0.3, 1.0]), min_size=1, max_size=8))
def test_few_differences_are_permuted_exhaustively(differences: list[float]) -> None:
    observed = abs(sum(differences)) - 1e-9
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    assert permutation_test(differences) == pytest.approx(sum(total >= observed for total in sums) / len(sums))


@settings(deadline=None, max_examples=10)
@given(first=st.integers(0, 40), second=st.integers(15, 40))
def test_many_differences_are_sampled_close_to_the_exact_value(first: int, second: int) -> None:
    sampled = permutation_test([-1.0] * first + [1.0] * second)
    assert sampled == pytest.approx(mcnemar(first, second), abs=0.02)
    assert sampled > 0


def test_holm_knows_the_textbook_case() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(p_values=st.lists(st.floats(0, 1), max_size=8))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if (len(p_values) - rank) * p_values[index] > level:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(adjusted) if p <= level} == rejected
