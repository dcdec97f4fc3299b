from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.errors import ConfigError
from codeglot.methods.base import Method, Stage
from codeglot.optim.settings import Optim
from codeglot.train.stages import StageSteps, plan

OPTIM = Optim(lr=1e-3)


class Staged(Method):
    """A method with the given stages, or one."""

    method: str = "staged"
    given: tuple[Stage, ...] = ()

    def stages(self) -> Any:
        return self.given or super().stages()

    def attach(self, model: Any, languages: Any) -> Any:
        return model

    def save(self, model: Any, folder: Any) -> None:
        pass

    def load(self, base: Any, folder: Any, languages: Any) -> Any:
        return base


def test_one_stage_has_all_steps() -> None:
    assert plan([Staged()], 7, OPTIM) == (StageSteps("train", 0, 7),)


def test_a_method_with_one_stage_trains_in_those_of_another() -> None:
    staged = Staged(given=(Stage("a", 0.25), Stage("b", 0.75)))

    assert plan([Staged(), staged], 8, OPTIM) == (StageSteps("a", 0, 2), StageSteps("b", 2, 6))


@given(parts=st.lists(st.integers(1, 9), min_size=1, max_size=4), num_steps=st.integers(100, 300))
def test_every_step_belongs_to_one_stage(parts: Any, num_steps: int) -> None:
    stages = tuple(Stage(str(index), part / sum(parts)) for index, part in enumerate(parts))

    found = plan([Staged(given=stages)], num_steps, OPTIM)

    assert [step for stage in found for step in range(stage.first, stage.first + stage.num_steps)] == [
        *range(num_steps)
    ]


@pytest.mark.parametrize(
    ("stages", "num_steps", "message"),
    [
        ([(Stage("a", 0.5), Stage("b", 0.4))], 10, "a: 0.5, b: 0.4 of the steps, which does not add up to 1"),
        ([(Stage("a", 0.1), Stage("b", 0.9))], 4, "'a' has 0.1 of 4 steps, which is none"),
        ([(Stage("a", 0.5), Stage("b", 0.5)), (Stage("c", 0.5), Stage("d", 0.5))], 4, "train in different stages"),
    ],
)
def test_stages_that_do_not_fit_are_refused(stages: Any, num_steps: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan([Staged(given=given) for given in stages], num_steps, OPTIM)


def test_the_warm_up_has_to_end_within_each_stage() -> None:
    staged = Staged(given=(Stage("a", 0.25), Stage("b", 0.75)))
    plan([staged], 16, Optim(lr=1e-3, warmup_steps=4))
    with pytest.raises(ConfigError, match=r"warmup_steps = 4, but .* 2 step\(s\)"):
        plan([staged], 8, Optim(lr=1e-3, warmup_steps=4))
