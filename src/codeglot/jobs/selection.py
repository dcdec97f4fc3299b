"""Which cells of an experiment are worked on."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from codeglot.errors import UnknownNameError
from codeglot.jobs.cells import Cell, build_cell
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.tune import Chosen, settings_of


class Selection(NamedTuple):
    """Which cells are worked on now; those of others that are finished are compared too."""

    arms: tuple[str, ...]
    seeds: tuple[int, ...]


def select(experiment: Experiment, arms: Sequence[str] | None, seeds: Sequence[int] | None) -> Selection:
    """Arms and seeds by what was asked for; None: all.

    Raises:
        UnknownNameError: If the experiment has no such arm or seed.
    """
    names = [arm.name for arm in experiment.arms]
    for kind, asked, known in (("arm", arms, names), ("seed", seeds, experiment.seeds)):
        if wrong := [str(one) for one in asked or () if one not in known]:
            raise UnknownNameError(f"{kind} of this experiment", wrong[0], map(str, known))
    return Selection(tuple(name for name in names if arms is None or name in arms), tuple(seeds or experiment.seeds))


def cell_makers(experiment: Experiment, selection: Selection, chosen: Chosen, out: Path) -> list[Callable[[], Cell]]:
    """How to build the cells of the result, which lie in `out`; one that extends another stands behind it."""
    return [
        partial(build_cell, experiment, experiment.arm(name), seed, settings_of(experiment, name, chosen), out)
        for name in selection.arms
        for seed in (selection.seeds if experiment.arm(name).train else selection.seeds[:1])
    ]
