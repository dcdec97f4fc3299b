"""Completions and executions -> pass@k per language and over languages.

A program without a verdict of its own (not run, or the machine failed) is not a failure: its group gets no point
score, only the bounds that the missing programs leave open.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from codeglot.config import StrictModel, load
from codeglot.errors import ConfigError, DataError
from codeglot.evaluate.passk import pass_at_k
from codeglot.evaluate.statistics import macro_interval, mean_interval
from codeglot.evaluate.taxonomy import count_verdicts
from codeglot.records import Completion, Execution, Problem, Score, Verdict


class MacroScore(StrictModel):
    """Unweighted mean over programming languages of one benchmark's pass@k."""

    benchmark: str
    natural_language: str
    k: int = Field(ge=1)
    num_languages: int = Field(ge=2)
    pass_at_k: float | None
    """0 to 1; None while executions of any of the languages are missing."""
    interval: tuple[float, float] | None
    """95 % interval over problems, one asked in several languages drawn once; None while executions are missing."""
    bounds: tuple[float, float]
    """Lowest and highest value that the missing executions still allow."""


class LeftOut(StrictModel):
    """Rows that belong to nothing that was asked for, and so are in no score."""

    completions: int = Field(default=0, ge=0)
    """Completions of problems that are not in this run."""
    executions: int = Field(default=0, ge=0)
    """Executions of completions that are not in this run."""


class Scores(StrictModel):
    """All scores of one run: what `scores.json` holds."""

    num_samples: int = Field(ge=1)
    """Completions per problem (the smallest number, where they differ)."""
    scores: tuple[Score, ...]
    """Per benchmark, programming language, natural language and k."""
    macro: tuple[MacroScore, ...]
    """Per benchmark with several programming languages, natural language and k."""
    left_out: LeftOut = LeftOut()

    @property
    def incomplete(self) -> int:
        """Programs of the run without a scored verdict."""
        smallest_k = min((score.k for score in self.scores), default=1)
        return sum(score.incomplete for score in self.scores if score.k == smallest_k)


class Tally(NamedTuple):
    """What became of the samples of one problem."""

    num_samples: int
    passed: int
    missing: int
    """Samples without a scored verdict."""

    def bounds(self, k: int) -> tuple[float, float]:
        """pass@k if all missing samples failed, and if all passed."""
        low, high = self.passed, self.passed + self.missing
        return pass_at_k(self.num_samples, low, k), pass_at_k(self.num_samples, high, k)


class _Group(NamedTuple):
    benchmark: str
    language_id: str
    natural_language: str


def score(
    problems: Sequence[Problem], completions: Iterable[Completion], executions: Iterable[Execution], ks: Sequence[int]
) -> Scores:
    """Score a run.

    Of several completions or executions with one key the last counts, as in a file that is appended to.

    Args:
        problems: All that were asked, with unique task ids.
        completions: What was written, 1 or more samples per problem.
        executions: What running them showed.
        ks: Each k of pass@k, 1 <= k <= samples of every problem.

    Raises:
        ConfigError: If a k is below 1 or above the number of samples of a problem.
        DataError: If there are no problems, or two have one task id.
    """
    by_key = {completion.key: completion for completion in completions}
    ran = {execution.key: execution for execution in executions}
    verdicts = {key: ran[key].verdict if key in ran else None for key in by_key}
    task_ids = _task_ids(problems)
    left_out = LeftOut(
        completions=sum(task_id not in task_ids for task_id, _ in by_key),
        executions=sum(key not in by_key or key[0] not in task_ids for key in ran),
    )
    tallies = tally(problems, verdicts, default_samples=max(ks, default=1))
    _check_ks(ks, tallies)
    groups = _groups(problems)
    rows = [
        _score_group(group, members, k=k, tallies=tallies, verdicts=verdicts)
        for group, members in groups.items()
        for k in ks
    ]
    return Scores(
        num_samples=min(entry.num_samples for entry in tallies.values()),
        scores=tuple(rows),
        macro=tuple(_macro(rows, groups, tallies, {problem.task_id: problem.root for problem in problems})),
        left_out=left_out,
    )


def tally(
    problems: Sequence[Problem], verdicts: Mapping[tuple[str, int], Verdict | None], *, default_samples: int = 1
) -> dict[str, Tally]:
    """Count the samples of each problem by what became of them.

    Args:
        problems: All that were asked.
        verdicts: By (task_id, sample) of each completion; None where it was not run.
        default_samples: Samples that a problem without any is short of, if no problem has more.
    """
    ends: dict[str, list[Verdict | None]] = {problem.task_id: [] for problem in problems}
    for (task_id, _), verdict in verdicts.items():
        if task_id in ends:
            ends[task_id].append(verdict)
    expected = max(map(len, ends.values()), default=0) or default_samples
    return {
        task_id: Tally(
            num_samples=len(found),
            passed=found.count(Verdict.PASS),
            missing=sum(verdict is None or not verdict.is_scored for verdict in found),
        )
        if found
        else Tally(num_samples=expected, passed=0, missing=expected)
        for task_id, found in ends.items()
    }


def read_scores(path: Path) -> Scores:
    """Read `scores.json`.

    Raises:
        ConfigError: If it is missing or no such file.
    """
    return load(Scores, path)


def _task_ids(problems: Sequence[Problem]) -> set[str]:
    counts = Counter(problem.task_id for problem in problems)
    if not counts:
        raise DataError("There are no problems to score; choose a benchmark, language or split that has some.")
    if repeated := [task_id for task_id, count in counts.items() if count > 1]:
        raise DataError(
            f"{len(repeated)} task_id(s) come more than once, for instance '{repeated[0]}'; "
            "each must be unique in a run."
        )
    return set(counts)


def _check_ks(ks: Sequence[int], tallies: Mapping[str, Tally]) -> None:
    if not ks or len(set(ks)) < len(ks) or min(ks) < 1:
        raise ConfigError(f"k = {list(ks)}: give one or more different k, each at least 1.")
    task_id, fewest = min(tallies.items(), key=lambda item: item[1].num_samples)
    if max(ks) > fewest.num_samples:
        raise ConfigError(
            f"pass@{max(ks)} needs {max(ks)} samples of every problem, but '{task_id}' has {fewest.num_samples}. "
            f"Draw more samples, or ask for k <= {fewest.num_samples}."
        )


def _groups(problems: Sequence[Problem]) -> dict[_Group, list[str]]:
    """Task ids by group, in the order of the problems."""
    groups: dict[_Group, list[str]] = {}
    for problem in problems:
        group = _Group(problem.benchmark, problem.language_id, problem.natural_language)
        groups.setdefault(group, []).append(problem.task_id)
    return groups


def _score_group(
    group: _Group,
    task_ids: Sequence[str],
    *,
    k: int,
    tallies: Mapping[str, Tally],
    verdicts: Mapping[tuple[str, int], Verdict | None],
) -> Score:
    members = set(task_ids)
    entries = [tallies[task_id] for task_id in task_ids]
    bounds = [entry.bounds(k) for entry in entries]
    low, high = (sum(side) / len(entries) for side in zip(*bounds, strict=True))
    incomplete = sum(entry.missing for entry in entries)
    return Score(
        **group._asdict(),
        k=k,
        n=min(entry.num_samples for entry in entries),
        num_problems=len(entries),
        pass_at_k=None if incomplete else low,
        interval=None if incomplete else mean_interval([value for value, _ in bounds]),
        bounds=(low, high),
        taxonomy=count_verdicts(end for (task_id, _), end in verdicts.items() if end and task_id in members),
        incomplete=incomplete,
    )


def _macro(
    rows: Sequence[Score],
    groups: Mapping[_Group, Sequence[str]],
    tallies: Mapping[str, Tally],
    roots: Mapping[str, str],
) -> Iterable[MacroScore]:
    together: dict[tuple[str, str, int], list[Score]] = {}
    for row in rows:
        together.setdefault((row.benchmark, row.natural_language, row.k), []).append(row)
    for (benchmark, natural_language, k), parts in together.items():
        if len(parts) < 2:
            continue
        complete = not any(part.incomplete for part in parts)
        members = [groups[_Group(benchmark, part.language_id, natural_language)] for part in parts]
        strata = [[tallies[task_id].bounds(k)[0] for task_id in task_ids] for task_ids in members]
        origins = [[roots[task_id] for task_id in task_ids] for task_ids in members]
        low, high = (sum(part.bounds[side] for part in parts) / len(parts) for side in (0, 1))
        yield MacroScore(
            benchmark=benchmark,
            natural_language=natural_language,
            k=k,
            num_languages=len(parts),
            pass_at_k=low if complete else None,
            interval=macro_interval(strata, origins) if complete else None,
            bounds=(low, high),
        )
