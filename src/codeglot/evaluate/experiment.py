"""Arms x seeds -> scores, paired changes against the baseline, transfer and noise: what `comparison.json` holds.

Every figure is pass@1. All arms answered the same problems; a change is arm minus baseline on each problem, of the same
seed where both have it. Intervals cover problems and seeds (`seeds.py`); over languages, the forms of one problem are
drawn together.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from codeglot.config import StrictModel
from codeglot.errors import DataError
from codeglot.evaluate.seeds import change_interval, change_p, noise, score_interval, seed_means
from codeglot.evaluate.statistics import Floats, Interval, holm


class Group(NamedTuple):
    """Problems that are scored together."""

    benchmark: str
    natural_language: str
    language_id: str


class Outcome(NamedTuple):
    """What one cell of the experiment answered."""

    arm: str
    seed: int | None
    """None: an arm without training, which is run once and stands beside every seed."""
    values: Mapping[Group, Mapping[str, float]]
    """pass@1 by task id."""
    trained: tuple[str, ...] = ()
    """Languages that it was trained on."""
    origins: Mapping[str, str] = MappingProxyType({})
    """By task id the problem that it is a form of; those that are missing are forms of themselves alone."""


class Figure(StrictModel):
    """Score of one arm on one language, or on the mean over languages."""

    arm: str
    benchmark: str
    natural_language: str
    language_id: str | None
    """None: the unweighted mean over languages."""
    num_problems: int
    pass_at_1: float
    """Mean over seeds, 0 to 1."""
    interval: Interval
    """95 % over problems and seeds; over problems alone where there is one seed."""
    by_seed: tuple[float, ...]
    """In the order of the arm's seeds."""
    sd: float | None
    """Sample standard deviation between seeds: the noise floor; None for one seed."""
    largest_gap: float | None
    """Largest difference between two seeds; None for one seed."""


class Change(StrictModel):
    """Score of one arm minus that of the baseline."""

    arm: str
    benchmark: str
    natural_language: str
    language_id: str | None
    """None: the mean over languages."""
    mean: float
    """-1 to 1; above 0 the arm is better than the baseline."""
    interval: Interval
    """95 % over problems and seeds; over problems alone where there is one seed."""
    by_seed: tuple[float, ...]
    p: float
    """Paired permutation over problems, on the mean of the seeds."""
    adjusted_p: float
    """After Holm's correction: means are corrected for the number of arms, languages for languages and arms."""

    @property
    def direction(self) -> int:
        """1: above the baseline, -1: below, 0: the interval holds 0."""
        low, high = self.interval
        return (low > 0) - (high < 0)


class Transfer(StrictModel):
    """Mean change of an arm on the languages that it was trained on, and on the others."""

    arm: str
    benchmark: str
    natural_language: str
    trained: tuple[str, ...]
    """Languages of the benchmark that it was trained on."""
    others: tuple[str, ...]
    on_trained: float | None
    on_trained_interval: Interval | None
    on_others: float | None
    """Above 0: transfer; below: forgetting. None: it was trained on all of them."""
    on_others_interval: Interval | None


class Facts(StrictModel):
    """What one cell cost, and where it lies."""

    arm: str
    seed: int | None
    folder: str
    """Below the experiment's folder."""
    mean: float
    """Unweighted mean of pass@1 over all groups of problems."""
    trained: tuple[str, ...] = ()
    """Languages that it was trained on."""
    cpu_s: float
    """CPU seconds of everything: training, generating, executing."""
    wall_s: float
    training: dict[str, Any] = Field(default_factory=dict)
    """What the training says of itself (`training.json`): parameters, tokens, steps, seconds."""


class Trial(StrictModel):
    """One setting that was tried for an arm, on the validation split."""

    arm: str
    settings: dict[str, Any]
    """Overrides by dotted key."""
    by_seed: tuple[float, ...]
    """Mean of pass@1 over all groups of problems, per tuning seed; empty for one that broke off."""
    mean: float | None
    """None for one that broke off."""
    is_chosen: bool = False
    failure: str = ""
    """Why it broke off."""


class Comparison(StrictModel):
    """The result of an experiment."""

    arms: tuple[str, ...]
    """Those with a finished cell, in the order of the experiment file."""
    baseline: str
    controls: tuple[str, ...]
    figures: tuple[Figure, ...]
    changes: tuple[Change, ...]
    transfer: tuple[Transfer, ...]
    cells: tuple[Facts, ...]
    trials: tuple[Trial, ...] = ()
    set_by_arm: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What each arm changes in the base run: its `set`, as it stands in the experiment file."""
    chosen_by_arm: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What tuning chose for it, or for the arm that it is tuned as, by dotted key."""
    unfinished: tuple[str, ...] = ()
    """Folders of cells that have no result yet."""
    broken_off: dict[str, str] = Field(default_factory=dict)
    """Folders of cells whose training cannot go on, and why; they are in no figure."""


class Results(NamedTuple):
    """The part of a comparison that is computed from answers."""

    figures: tuple[Figure, ...]
    changes: tuple[Change, ...]
    transfer: tuple[Transfer, ...]


class _Arm(NamedTuple):
    """Answers of one arm, by group an array (S, P)."""

    name: str
    seeds: tuple[int | None, ...]
    trained: frozenset[str]
    answers: Mapping[Group, Floats]


_Origins = Mapping[Group, Sequence[Hashable]]
"""By group the origin of each problem, in the order of the answers."""


def mean_of_groups(values: Mapping[Group, Mapping[str, float]]) -> float:
    """Unweighted mean over groups of the mean over problems: what tuning selects by."""
    return float(np.mean([np.mean(list(tasks.values())) for tasks in values.values()]))


def compare_arms(outcomes: Sequence[Outcome], baseline: str) -> Results:
    """Score every arm and compare it with the baseline.

    Args:
        outcomes: At least one per arm, the baseline's among them.
        baseline: Name of the arm that others are compared with.

    Raises:
        DataError: If the baseline is missing, or two cells answered different problems.
    """
    arms = {name: _gather(name, outcomes) for name in dict.fromkeys(outcome.arm for outcome in outcomes)}
    if baseline not in arms:
        raise DataError(f"The baseline '{baseline}' has no result yet; nothing can be compared with it.")
    origins = _origins(outcomes)
    figures = [figure for arm in arms.values() for figure in _figures(arm, origins)]
    changed = {arm.name: _changed(arm, arms[baseline]) for arm in arms.values() if arm.name != baseline}
    changes = _changes([row for name, answers in changed.items() for row in _uncorrected(name, answers, origins)])
    transfer = [row for name, answers in changed.items() for row in _transfer(arms[name], answers, origins)]
    return Results(tuple(figures), tuple(changes), tuple(transfer))


def _origins(outcomes: Sequence[Outcome]) -> _Origins:
    known = {task: origin for outcome in outcomes for task, origin in outcome.origins.items()}
    return {group: [known.get(task, (group, task)) for task in tasks] for group, tasks in outcomes[0].values.items()}


def _gather(name: str, outcomes: Sequence[Outcome]) -> _Arm:
    mine = sorted((o for o in outcomes if o.arm == name), key=lambda o: -1 if o.seed is None else o.seed)
    groups = {group: list(tasks) for group, tasks in outcomes[0].values.items()}
    for outcome in mine:
        if {group: set(tasks) for group, tasks in outcome.values.items()} != {g: set(t) for g, t in groups.items()}:
            raise DataError(
                f"Arm '{name}', seed {outcome.seed}, answered other problems than arm '{outcomes[0].arm}'; cells are "
                "comparable only on the same ones. Give all arms the same [evaluate]."
            )
    answers = {
        group: np.array([[outcome.values[group][task] for task in tasks] for outcome in mine])
        for group, tasks in groups.items()
    }
    return _Arm(name, tuple(o.seed for o in mine), frozenset(language for o in mine for language in o.trained), answers)


def _changed(arm: _Arm, baseline: _Arm) -> dict[Group, Floats]:
    """Differences, paired by problem, and by seed where both arms have it."""
    if None in arm.seeds or None in baseline.seeds:  # one row stands beside every seed of the other
        return {group: answers - baseline.answers[group] for group, answers in arm.answers.items()}
    shared = [seed for seed in arm.seeds if seed in baseline.seeds]
    if not shared:
        raise DataError(
            f"Arm '{arm.name}' (seeds {list(arm.seeds)}) and the baseline '{baseline.name}' (seeds "
            f"{list(baseline.seeds)}) share no finished seed; finish one of both."
        )
    mine, theirs = ([side.seeds.index(seed) for seed in shared] for side in (arm, baseline))
    return {group: answers[mine] - baseline.answers[group][theirs] for group, answers in arm.answers.items()}


def _families(answers: Mapping[Group, Floats]) -> Iterator[tuple[tuple[str, str], list[Group]]]:
    """Groups that are averaged: those of one benchmark and one language of prompts."""
    families: dict[tuple[str, str], list[Group]] = {}
    for group in answers:
        families.setdefault((group.benchmark, group.natural_language), []).append(group)
    yield from families.items()


def _parts(answers: Mapping[Group, Floats]) -> Iterator[tuple[dict[str, Any], list[Group]]]:
    """The mean over languages, where there are several, then each language."""
    for (benchmark, natural_language), groups in _families(answers):
        where: dict[str, Any] = {"benchmark": benchmark, "natural_language": natural_language}
        if len(groups) > 1:
            yield where | {"language_id": None}, groups
        for group in groups:
            yield where | {"language_id": group.language_id}, [group]


def _figures(arm: _Arm, origins: _Origins) -> Iterator[Figure]:
    for where, groups in _parts(arm.answers):
        strata = [arm.answers[group] for group in groups]
        means = seed_means(strata)
        spread = noise(means)
        yield Figure(
            arm=arm.name,
            **where,
            num_problems=sum(stratum.shape[1] for stratum in strata),
            pass_at_1=sum(means) / len(means),
            interval=score_interval(strata, [origins[group] for group in groups]),
            by_seed=tuple(means),
            sd=spread.sd if spread else None,
            largest_gap=spread.largest if spread else None,
        )


def _uncorrected(name: str, answers: Mapping[Group, Floats], origins: _Origins) -> Iterator[dict[str, Any]]:
    """Changes of one arm, but for `adjusted_p`, which takes those of all arms."""
    for where, groups in _parts(answers):
        strata, shared = [answers[group] for group in groups], [origins[group] for group in groups]
        means = seed_means(strata)
        yield where | {
            "arm": name,
            "mean": sum(means) / len(means),
            "interval": change_interval(strata, shared),
            "by_seed": tuple(means),
            "p": change_p(strata, shared),
        }


def _changes(rows: Sequence[dict[str, Any]]) -> list[Change]:
    """Apply Holm's correction: one family of hypotheses for the means over languages, one for the languages."""
    adjusted: dict[int, float] = {}
    for is_mean in (True, False):
        family = [index for index, row in enumerate(rows) if (row["language_id"] is None) == is_mean]
        adjusted |= zip(family, holm([rows[index]["p"] for index in family]), strict=True)
    return [Change(**row, adjusted_p=adjusted[index]) for index, row in enumerate(rows)]


def _transfer(arm: _Arm, answers: Mapping[Group, Floats], origins: _Origins) -> Iterator[Transfer]:
    if not arm.trained:
        return
    for (benchmark, natural_language), groups in _families(answers):
        sides = [[group for group in groups if (group.language_id in arm.trained) == is_in] for is_in in (True, False)]
        strata = [[answers[group] for group in side] for side in sides]
        means = [sum(seed_means(part)) / len(part[0]) if part else None for part in strata]
        intervals = [
            change_interval(part, [origins[group] for group in side]) if part else None
            for side, part in zip(sides, strata, strict=True)
        ]
        yield Transfer(
            arm=arm.name,
            benchmark=benchmark,
            natural_language=natural_language,
            trained=tuple(group.language_id for group in sides[0]),
            others=tuple(group.language_id for group in sides[1]),
            on_trained=means[0],
            on_trained_interval=intervals[0],
            on_others=means[1],
            on_others_interval=intervals[1],
        )
