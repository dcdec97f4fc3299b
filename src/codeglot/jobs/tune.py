"""Settings chosen per arm on the validation split, with the same number of trials for each arm that is tuned."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from codeglot.errors import RunError
from codeglot.evaluate.experiment import Trial, mean_of_groups
from codeglot.jobs.cells import Cell, build_trial, collect
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.experiment_sections import combinations
from codeglot.jobs.read_cells import outcome, read_cell
from codeglot.jobs.run_cells import is_finished, spent_on
from codeglot.report.words import in_words

Chosen = Mapping[str, Mapping[str, Any]]
"""Per tuned arm its settings, by dotted key."""


def trial_makers(experiment: Experiment, arms: Sequence[str]) -> Iterator[Callable[[], Cell]]:
    """How to build every trial that these arms need, own or of the arm that they are tuned as."""
    tune = experiment.tune
    if tune is None:
        return
    wanted = [experiment.arm(name).tuned_as or name for name in arms]
    for name in dict.fromkeys(name for name in wanted if name in tune.grid):
        for number in range(len(combinations(tune.grid[name]))):
            for seed in tune.seeds:
                yield partial(build_trial, experiment, tune, name, number, seed)


def settings_of(experiment: Experiment, arm: str, chosen: Chosen) -> Mapping[str, Any]:
    """What was chosen for an arm; empty for one that is not tuned."""
    return chosen.get(experiment.arm(arm).tuned_as or arm, {})


def is_settled(experiment: Experiment, arm: str, chosen: Chosen) -> bool:
    """Whether it is known with which settings an arm is run: not while its trials are left to another start."""
    grids = experiment.tune.grid if experiment.tune else {}
    name = experiment.arm(arm).tuned_as or arm
    return name not in grids or name in chosen


def first_settings(experiment: Experiment) -> Chosen:
    """The first combination of each grid: a stand-in while nothing is chosen, to check that run files are valid."""
    grids = experiment.tune.grid if experiment.tune else {}
    return {name: combinations(keys)[0] for name, keys in grids.items()}


def choose(experiment: Experiment, out: Path) -> tuple[list[Trial], Chosen]:
    """The best trial of each arm whose trials are all finished, by mean pass@1; of equal ones the first.

    Raises:
        RunError: If all trials of an arm broke off.
    """
    trials: list[Trial] = []
    chosen: dict[str, Mapping[str, Any]] = {}
    for name in experiment.tune.grid if experiment.tune else ():
        cells = collect(trial_makers(experiment, [name]))
        if not all(is_finished(cell, out) for cell in cells):
            continue
        rows = _trials(experiment, name, cells, out)
        sound = [row for row in rows if row.mean is not None]
        if not sound:
            raise RunError(f"All trials of arm '{name}' broke off; the first: {rows[0].failure} Give other values.")
        best = max(sound, key=lambda row: row.mean or 0.0)
        chosen[name] = best.settings
        trials += [row.model_copy(update={"is_chosen": row is best}) for row in rows]
    return trials, chosen


def chosen_lines(experiment: Experiment, trials: Sequence[Trial]) -> list[str]:
    """Which settings were chosen of how many, with the score that decided, for a terminal."""
    split = experiment.tune.split if experiment.tune else ""
    counts = Counter(trial.arm for trial in trials)
    return [
        f"{trial.arm}: {in_words(trial.settings)} is chosen out of {counts[trial.arm]} trials, by a mean pass@1 of "
        f"{trial.mean:.1%} on {split} problems."
        for trial in trials
        if trial.is_chosen and trial.mean is not None
    ]


def _trials(experiment: Experiment, arm: str, cells: Sequence[Cell], out: Path) -> list[Trial]:
    if experiment.tune is None:
        return []
    rows = []
    num_seeds = len(experiment.tune.seeds)
    for number, settings in enumerate(combinations(experiment.tune.grid[arm])):
        mine = cells[number * num_seeds : (number + 1) * num_seeds]
        failure = next((found for cell in mine if (found := spent_on(cell, out).failure)), "")
        values = [] if failure else [mean_of_groups(outcome(cell, read_cell(cell, out), out).values) for cell in mine]
        mean = sum(values) / len(values) if values else None
        rows.append(Trial(arm=arm, settings=settings, by_seed=tuple(values), mean=mean, failure=failure))
    return rows
