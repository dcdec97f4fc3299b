from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.evaluate.passk import pass_at_k


@given(data=st.data(), n=st.integers(1, 8))
def test_it_is_the_share_of_all_draws_that_hold_a_pass(data: st.DataObject, n: int) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws), abs=1e-12)


def test_one_draw_is_the_share_of_passes() -> None:
    assert pass_at_k(200, 30, 1) == pytest.approx(0.15)


def test_large_counts_stay_exact() -> None:
    assert pass_at_k(10_000, 1, 10_000) == 1.0
    assert pass_at_k(10_000, 1, 100) == pytest.approx(0.01)


@pytest.mark.parametrize(("n", "c", "k"), [(1, 0, 10), (5, 2, 6), (5, 6, 1), (5, -1, 1), (5, 2, 0), (0, 0, 1)])
def test_undefined_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="1 <= k <= n"):
        pass_at_k(n, c, k)


def test_the_published_example() -> None:
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)
    assert pass_at_k(10, 0, 5) == 0
    assert pass_at_k(10, 8, 5) == 1


@pytest.mark.parametrize(("num_problems", "num_right", "percent"), [(164, 69, 42.07), (158, 54, 34.18)])
def test_one_sample_each_gives_whole_numbers_of_problems(num_problems: int, num_right: int, percent: float) -> None:
    """So a figure tells which benchmark it cannot be of: no number of 158 problems is 42.07 %."""
    values = [pass_at_k(1, int(index < num_right), 1) for index in range(num_problems)]
    assert round(100 * sum(values) / num_problems, 2) == percent
    other = 158 if num_problems == 164 else 164
    assert percent not in {round(100 * right / other, 2) for right in range(other + 1)}
