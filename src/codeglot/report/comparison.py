"""Paired differences between runs that answered the same problems."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codeglot.evaluate.passk import pass_at_k
from codeglot.evaluate.score import Tally
from codeglot.evaluate.statistics import contributions, difference_interval, holm, mcnemar, permutation_test
from codeglot.records import Problem
from codeglot.report.groups import Group, group_of
from codeglot.report.source import Run
from codeglot.report.words import counted


class Difference(NamedTuple):
    """pass@k of a run minus that of the first run, over one group of problems or over languages."""

    run: int
    """Index of the run; it is compared with run 0."""
    benchmark: str
    natural_language: str
    language_id: str | None
    """None: the unweighted mean over languages."""
    k: int
    num_problems: int
    mean: float
    """-1 to 1; above 0 the run is better than the first one."""
    interval: tuple[float, float]
    p: float
    adjusted_p: float | None
    """After Holm's correction over all languages and runs of this k; None for means over languages."""
    test: str
    only_first: int
    """Problems that do better in the first run."""
    only_this: int
    """Problems that do better in this one."""


class Comparison(NamedTuple):
    """All differences, and why others are missing."""

    differences: tuple[Difference, ...]
    refusals: tuple[str, ...]


class _Pairs(NamedTuple):
    """Per-problem differences of one group."""

    group: Group
    values: list[float]
    origins: list[str]
    """Of the problems: those of several languages that share one are forms of one problem."""
    is_single: bool
    """Whether both runs drew one sample per problem."""


def compare_runs(runs: Sequence[Run], language_names: Mapping[str, str]) -> Comparison:
    """Compare every run with the first, for each k that both have."""
    differences: list[Difference] = []
    refusals: list[str] = []
    for index, run in enumerate(runs[1:], start=1):
        for k in _shared_ks(runs[0], run):
            pairs, reasons = _pair_up(runs[0], run, k)
            differences += _differences(index, pairs, k)
            refusals += [f"{run.name}, {language_names.get(g.language_id, g.language_id)}: {why}" for g, why in reasons]
    return Comparison(_adjusted(differences), tuple(dict.fromkeys(refusals)))


def _shared_ks(first: Run, second: Run) -> list[int]:
    ks = {row.k for row in first.scores.scores} & {row.k for row in second.scores.scores}
    return sorted(ks)


def _pair_up(first: Run, second: Run, k: int) -> tuple[list[_Pairs], list[tuple[Group, str]]]:
    """Differences of the groups that can be compared, and reasons for those that cannot."""
    sides = [(run, _members(run), run.tallies()) for run in (first, second)]
    pairs, reasons = [], []
    for group in dict.fromkeys(group_of(row) for run in (first, second) for row in run.scores.scores):
        if why := _obstacle(group, sides):
            reasons.append((group, why))
            continue
        (_, members, firsts), (_, others, seconds) = sides
        matched = [(firsts[task_id], seconds[task_id]) for task_id in members[group]]
        pairs.append(
            _Pairs(
                group,
                [_value(b, k) - _value(a, k) for a, b in matched],
                # Either run may be older than the origins of its problems.
                [problem.origin or others[group][task_id].root for task_id, problem in members[group].items()],
                is_single=all(entry.num_samples == 1 for pair in matched for entry in pair),
            )
        )
    return pairs, reasons


def _value(entry: Tally, k: int) -> float:
    return pass_at_k(entry.num_samples, entry.passed, k)


def _members(run: Run) -> dict[Group, dict[str, Problem]]:
    """By group the problems, by task id."""
    members: dict[Group, dict[str, Problem]] = {}
    for problem in run.problems:
        group = Group(problem.benchmark, problem.language_id, problem.natural_language)
        members.setdefault(group, {})[problem.task_id] = problem
    return members


def _obstacle(
    group: Group, sides: Sequence[tuple[Run, dict[Group, dict[str, Problem]], dict[str, Tally]]]
) -> str | None:
    """Why a group cannot be compared; None if it can."""
    first, second = (members.get(group) for _, members, _ in sides)
    if first is None or second is None:
        return "only one of the runs has these problems"
    asked, also = ({task_id: problem.as_asked for task_id, problem in side.items()} for side in (first, second))
    if asked != also:
        same = sum(also.get(task_id) == problem for task_id, problem in asked.items())
        return f"the problems differ ({same} alike of {len(first)} and {len(second)})"
    if missing := sum(tallies[task_id].missing for _, _, tallies in sides for task_id in first):
        return f"{counted(missing, 'program')} without a verdict"
    return None


def _differences(index: int, pairs: Sequence[_Pairs], k: int) -> list[Difference]:
    """One row per group; in front of a benchmark with several languages the mean over them."""
    rows = []
    together: dict[tuple[str, str], list[_Pairs]] = {}
    for pair in pairs:
        together.setdefault((pair.group.benchmark, pair.group.natural_language), []).append(pair)
    for parts in together.values():
        if len(parts) > 1:
            rows.append(_difference(index, parts, k))
        rows += [_difference(index, [part], k) for part in parts]
    return rows


def _difference(index: int, parts: Sequence[_Pairs], k: int) -> Difference:
    strata, origins = [part.values for part in parts], [part.origins for part in parts]
    values = [value for stratum in strata for value in stratum]
    better, worse = sum(value > 0 for value in values), sum(value < 0 for value in values)
    if len(parts) == 1 and parts[0].is_single:
        p, test = mcnemar(worse, better), "McNemar"
    else:
        p, test = permutation_test(contributions(strata, origins)), "permutation"
    return Difference(
        run=index,
        benchmark=parts[0].group.benchmark,
        natural_language=parts[0].group.natural_language,
        language_id=parts[0].group.language_id if len(parts) == 1 else None,
        k=k,
        num_problems=len(values),
        mean=sum(sum(stratum) / len(stratum) for stratum in strata) / len(strata),
        interval=difference_interval(strata, origins),
        p=p,
        adjusted_p=None,
        test=test,
        only_first=worse,
        only_this=better,
    )


def _adjusted(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """Add Holm's correction, one family per k."""
    result = list(differences)
    for k in {row.k for row in differences}:
        family = [i for i, row in enumerate(differences) if row.k == k and row.language_id is not None]
        for i, adjusted in zip(family, holm([differences[i].p for i in family]), strict=True):
            result[i] = result[i]._replace(adjusted_p=adjusted)
    return tuple(result)
