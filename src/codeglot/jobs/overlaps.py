"""Is a run judged on what it was trained on, or by which its checkpoint was chosen?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from codeglot.data.contamination import NUM_WORDS, Overlap, OverlapKind, find_overlaps
from codeglot.errors import ConfigError, DataError
from codeglot.evaluate.benchmarks import benchmark
from codeglot.jobs.problems import asked_problems
from codeglot.jobs.runfile import TrainingRun
from codeglot.records import Example, Problem

_ALIKE = {OverlapKind.SOLUTION: "by the answer", OverlapKind.PROMPT: f"by {NUM_WORDS} words in a row"}


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """What a run asks of one split of a benchmark."""

    problems: dict[str, Problem] = field(default_factory=dict)
    """All of the split, by task id: what stands in many of them is boilerplate."""
    asked: set[str] = field(default_factory=set)
    """Task ids of those that are asked."""


Judged = Mapping[tuple[str, str], JudgedPart]
"""By benchmark and split."""


def judged_problems(run: TrainingRun) -> Judged:
    """What `[evaluate]` and `[validation]` ask.

    Raises:
        ConfigError: If `[evaluate]` scores problems of `[validation]`; trials, which are no result, may.
        DataError: If problems are missing or malformed.
    """
    judged: dict[tuple[str, str], JudgedPart] = {}
    roots: list[set[str]] = []
    for section in filter(None, (run.evaluate, run.validation)):
        asked = asked_problems(section)
        whole = asked_problems(section.model_copy(update={"num_problems": None})) if section.num_problems else asked
        roots.append({problem.root for problems in asked.values() for problem in problems})
        for name in asked:
            part = judged.setdefault((name, section.split or benchmark.get(name).default_split), JudgedPart())
            part.problems.update({problem.task_id: problem for problem in whole[name]})
            part.asked.update(problem.task_id for problem in asked[name])
    if len(roots) > 1 and not run.is_trial:
        _refuse_shared(*roots)
    return judged


def _refuse_shared(scored: set[str], tried: set[str]) -> None:
    """Stop where `[evaluate]` scores problems of `[validation]`, in any form; two splits may hold the same ones."""
    if shared := sorted(scored & tried):
        raise ConfigError(
            f"[validation] and [evaluate] share {len(shared)} problem(s), first {shared[0]}; a score on problems by "
            "which the checkpoint was chosen says nothing. Set evaluate.split or validation.split to another part."
        )


def refuse_overlaps(examples: Sequence[Example], judged: Judged, *, made: Collection[str] = ()) -> list[str]:
    """Stop at examples made from problems that are judged; likenesses that may be chance are counted.

    Args:
        examples: What is trained on.
        judged: As from `judged_problems`.
        made: Sources of those that the bundled world made. They are not held against its own problems: these differ
            from them in meaning, and are worded alike by design.

    Returns:
        A line for people about each benchmark and split with likenesses.

    Raises:
        DataError: If an example was made from a problem of a judged split, asked or not.
    """
    notes = []
    for (name, split), part in judged.items():
        foreign = examples
        if benchmark.get(name).made is not None:
            foreign = [example for example in examples if example.source not in made]
        found = find_overlaps(foreign, list(part.problems.values()))
        _refuse_same([overlap for overlap in found if overlap.kind is OverlapKind.TASK])
        if overlaps := [overlap for overlap in found if overlap.task_id in part.asked]:
            kinds = ", ".join(_told(overlaps, kind) for kind in _ALIKE if any(o.kind is kind for o in overlaps))
            notes.append(
                f"{_count(overlaps)} training example(s) are like problems of the benchmark '{name}', split '{split}': "
                f"{kinds}. It may be chance: read them, and take copies out of the data."
            )
    return notes


def _refuse_same(same: Sequence[Overlap]) -> None:
    if same:
        raise DataError(
            f"{_count(same)} training example(s) are made from problems of a split that this run is judged on, first "
            f"{same[0].source}, judged as {same[0].task_id}. Set evaluate.split (or validation.split) to another part "
            "than the one trained on."
        )


def _told(overlaps: Sequence[Overlap], kind: OverlapKind) -> str:
    """How many examples are alike in this way, and the first of them."""
    alike = [overlap for overlap in overlaps if overlap.kind is kind]
    return f"{_count(alike)} {_ALIKE[kind]} (first {alike[0].source}, like {alike[0].task_id})"


def _count(overlaps: Iterable[Overlap]) -> int:
    """Examples, each once."""
    return len({overlap.example for overlap in overlaps})
