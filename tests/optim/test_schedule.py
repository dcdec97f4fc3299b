import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.errors import ConfigError
from codeglot.optim.schedule import check_warmup, factor, num_warmup_steps
from codeglot.optim.settings import Optim


def optim(**settings: Any) -> Any:
    return Optim(**({"lr": 1.0, "warmup_steps": 0} | settings))


def factors(settings: Any, num_steps: int) -> Any:
    return [factor(settings, step, num_steps) for step in range(num_steps)]


def test_a_constant_rate_stays() -> None:
    assert factors(optim(schedule="constant"), 4) == [1.0] * 4


def test_a_linear_rate_falls_in_equal_parts_to_its_end() -> None:
    assert factors(optim(schedule="linear", min_lr_share=0.2), 5) == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2])


def test_a_cosine_rate_follows_half_a_wave() -> None:
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 10)) / 2 for step in range(11)]
    assert factors(optim(schedule="cosine", min_lr_share=0.1), 11) == pytest.approx(expected)


def test_the_warm_up_rises_in_equal_parts_and_ends_at_the_full_rate() -> None:
    assert factors(optim(schedule="linear", warmup_steps=4), 7) == pytest.approx(
        [0.25, 0.5, 0.75, 1.0, 2 / 3, 1 / 3, 0.0]
    )


def test_a_share_of_the_steps_is_rounded_up() -> None:
    assert num_warmup_steps(Optim(lr=1, warmup_share=0.03), 40) == 2


def test_a_warm_up_is_never_longer_than_the_training() -> None:
    assert num_warmup_steps(optim(warmup_steps=100), 8) == 8


def test_a_warm_up_may_take_all_steps_and_no_more() -> None:
    check_warmup(optim(warmup_steps=8), 8)
    check_warmup(Optim(lr=1), 1)
    with pytest.raises(ConfigError, match=r"optim.warmup_steps = 9, but the training has 8 step\(s\)"):
        check_warmup(optim(warmup_steps=9), 8)


@given(
    schedule=st.sampled_from(["constant", "linear", "cosine"]),
    num_steps=st.integers(1, 60),
    warmup=st.integers(0, 70),
    least=st.floats(0, 1),
)
def test_a_rate_rises_to_the_full_one_then_never_rises_again(
    schedule: str, num_steps: int, warmup: int, least: float
) -> None:
    settings = optim(schedule=schedule, warmup_steps=warmup, min_lr_share=least)

    found = factors(settings, num_steps)

    top = max(num_warmup_steps(settings, num_steps) - 1, 0)
    assert found[top] == pytest.approx(1.0)
    assert all(0 < left < right for left, right in pairwise(found[: top + 1]))
    assert all(left >= right - 1e-12 for left, right in pairwise(found[top:]))
    assert all(least - 1e-12 <= value <= 1 for value in found[top:])
