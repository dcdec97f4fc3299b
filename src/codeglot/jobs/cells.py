"""Cells of an experiment: one arm with one seed, each a run file of its own."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from codeglot.config import build, overlay
from codeglot.errors import ConfigError
from codeglot.evaluate.benchmarks import benchmark
from codeglot.jobs.changes import TRAINING_ONLY
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.experiment_sections import Arm, Tune, combinations
from codeglot.jobs.runfile import EvaluationRun, TrainingRun, TrialRun

TUNE = "tune"
ONCE = "once"
"""Folder of the one run of an arm that is not trained."""


class Cell(NamedTuple):
    """One run of the experiment."""

    arm: str
    seed: int | None
    folder: str
    """Below the experiment's folder."""
    run: EvaluationRun
    training: TrainingRun | None
    """None: nothing is trained."""
    tried: Mapping[str, Any] = MappingProxyType({})
    """Of a trial, its settings out of the grid, by dotted key."""
    extends: str | None = None
    """Folder of the cell that it goes on from; None: it begins with the base."""


def build_cell(experiment: Experiment, arm: Arm, seed: int, chosen: Mapping[str, Any], out: Path) -> Cell:
    """One arm with one seed.

    Args:
        experiment: It belongs to.
        arm: One of the experiment's.
        seed: Of the training and of sampling; arms that are not trained keep that of the base run.
        chosen: Overrides on top of the arm's, by dotted key.
        out: Folder of the experiment.

    Raises:
        ConfigError: With every mistake of its run file.
    """
    source = f"Arm '{arm.name}'"
    try:
        tree = overlay(overlay(experiment.base_run, arm.set), chosen)
    except ConfigError as error:
        raise ConfigError(f"{source} has 1 problem(s):\n  {error}") from None
    if not arm.train:
        judged = {key: value for key, value in tree.items() if key not in TRAINING_ONLY}
        return Cell(arm.name, None, f"{arm.name}/{ONCE}", build(EvaluationRun, judged, source=source), None)
    tree["seed"] = seed
    extends = None if arm.extends is None else trained_folder(arm.extends, seed)
    if extends is not None:
        tree["extends"] = str((out / extends).resolve())
    training = build(TrainingRun, tree, source=source)
    run = build(EvaluationRun, tree, source=source)
    return Cell(arm.name, seed, trained_folder(arm.name, seed), run, training, extends=extends)


def trained_folder(arm: str, seed: int) -> str:
    """Where an arm that is trained lies, below the experiment's folder."""
    return f"{arm}/seed-{seed}"


def build_trial(experiment: Experiment, tune: Tune, name: str, number: int, seed: int) -> Cell:
    """One combination of an arm's grid with one seed, judged on the validation split.

    Args:
        experiment: It belongs to.
        tune: Its `[tune]`.
        name: Of the arm.
        number: Of the combination, from 0.
        seed: One of the trials' own.

    Raises:
        ConfigError: With every mistake of its run file, or if it would be judged on the problems of the result.
    """
    source = f"tune.grid.{name} (trial {number})"
    settings = combinations(tune.grid[name])[number]
    try:
        tree = overlay(overlay(overlay(experiment.base_run, experiment.arm(name).set), settings), tune.set)
    except ConfigError as error:
        raise ConfigError(f"{source} has 1 problem(s):\n  {error}") from None
    final = build(EvaluationRun, tree, source=source).evaluate
    if tune.split in {
        final.split,
        *(benchmark.get(name).default_split for name in final.benchmarks if not final.split),
    }:
        raise ConfigError(
            f"{source} has 1 problem(s):\n  tune.split is '{tune.split}', the part of the result; a choice made on it "
            "says nothing. Name another part of the benchmarks."
        )
    tree = overlay(tree, {"seed": seed, "evaluate.split": tune.split})
    training = build(TrialRun, tree, source=source)
    folder = f"{TUNE}/{name}/trial-{number}/seed-{seed}"
    return Cell(name, seed, folder, build(EvaluationRun, tree, source=source), training, settings)


def collect(makers: Iterable[Callable[[], Cell]]) -> list[Cell]:
    """Build cells; the mistakes of all of them in one error, each said once.

    Raises:
        ConfigError: With the mistakes of every cell.
    """
    cells = []
    places: dict[str, dict[str, None]] = {}
    for make in makers:
        try:
            cells.append(make())
        except ConfigError as error:
            head, _, mistakes = str(error).partition("\n")
            places.setdefault(mistakes or head, {})[head] = None
    if places:
        raise ConfigError("\n".join(_say(mistakes, *heads) for mistakes, heads in places.items()))
    return cells


def _say(mistakes: str, head: str, *others: str) -> str:
    """Mistakes behind the first place that has them; the others are only named."""
    also = ", ".join(other.partition(" has ")[0] for other in others)
    first = head if head == mistakes else f"{head}\n{mistakes}"
    return first + (f"\n  The same goes for: {also}" if also else "")
