"""Which steps belong to which stage, where methods train in several stages one after another."""

from collections.abc import Sequence
from typing import NamedTuple

from codeglot.errors import ConfigError
from codeglot.methods.base import Method
from codeglot.optim.schedule import check_warmup
from codeglot.optim.settings import Optim


class StageSteps(NamedTuple):
    """The steps of one stage."""

    name: str
    first: int
    """Its first step, counted from 0."""
    num_steps: int
    """At least one."""


def plan(methods: Sequence[Method], num_steps: int, optim: Optim) -> tuple[StageSteps, ...]:
    """Divide the steps by the shares of the stages; every step belongs to one, and each stage has a warm-up.

    Methods with one stage train in every stage of another.

    Raises:
        ConfigError: If two methods have different stages, the shares do not add up to 1, a stage gets no step, or the
            warm-up is longer than a stage.
    """
    staged = [method for method in methods if len(method.stages()) > 1]
    stages = (staged or list(methods))[0].stages()
    if other := next((method for method in staged if method.stages() != stages), None):
        raise ConfigError(
            f"The methods '{staged[0].method}' and '{other.method}' train in different stages, which do not go "
            "together in one run. Train one after the other, in two runs."
        )
    if abs(sum(stage.share for stage in stages) - 1) > 1e-6:
        raise ConfigError(
            f"The stages of '{(staged or list(methods))[0].method}' take "
            f"{', '.join(f'{stage.name}: {stage.share:g}' for stage in stages)} of the steps, which does not add up "
            "to 1. Change the shares."
        )
    steps: list[StageSteps] = []
    first, share = 0, 0.0
    for stage in stages:
        share += stage.share
        end = round(share * num_steps)
        if end == first:
            raise ConfigError(
                f"The stage '{stage.name}' has {stage.share:g} of {num_steps} steps, which is none. "
                "Give it a larger share, or set train.steps higher."
            )
        check_warmup(optim, end - first)
        steps.append(StageSteps(stage.name, first, end - first))
        first = end
    return tuple(steps)
