"""What finished cells of an experiment say: answers, costs, learning curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codeglot import runs
from codeglot.config import read_tree
from codeglot.errors import RunError
from codeglot.evaluate.experiment import Facts, Group, Outcome, mean_of_groups
from codeglot.evaluate.passk import pass_at_k
from codeglot.jobs.cells import Cell
from codeglot.jobs.run_cells import spent_on
from codeglot.report.source import Run, read_run


def read_training(folder: Path) -> dict[str, Any]:
    """What a training says of itself; empty for a cell without one."""
    path = folder / runs.TRAINING
    return read_tree(path) if path.exists() else {}


def read_cell(cell: Cell, out: Path) -> Run:
    """The run folder of a finished cell.

    Raises:
        RunError: If a file is missing, or the scores are not those of the executions.
    """
    return read_run(out / cell.folder, cell.folder)


def outcome(cell: Cell, run: Run, out: Path) -> Outcome:
    """What a finished cell answered."""
    values: dict[Group, dict[str, float]] = {}
    origins = {problem.task_id: problem.origin for problem in run.problems if problem.origin}
    tallies = run.tallies()
    for problem in run.problems:
        entry = tallies[problem.task_id]
        group = Group(problem.benchmark, problem.natural_language, problem.language_id)
        values.setdefault(group, {})[problem.task_id] = pass_at_k(entry.num_samples, entry.passed, 1)
    trained = tuple(read_training(out / cell.folder).get("languages", ()))
    return Outcome(cell.arm, cell.seed, values, trained, origins)


def facts(cell: Cell, answers: Outcome, out: Path) -> Facts:
    """What a finished cell cost."""
    spent = spent_on(cell, out)
    return Facts(
        arm=cell.arm,
        seed=cell.seed,
        folder=cell.folder,
        mean=mean_of_groups(answers.values),
        trained=answers.trained,
        cpu_s=spent.cpu_s,
        wall_s=spent.wall_s,
        training=read_training(out / cell.folder),
    )


def refuse_other_problems(found: Sequence[tuple[Cell, Run]]) -> None:
    """Stop if cells answered different problems: their figures could not be compared.

    Raises:
        RunError: Naming the first two cells that differ.
    """
    asked = [[problem.as_asked for problem in run.problems] for _, run in found]
    for (cell, _), problems in zip(found[1:], asked[1:], strict=True):
        if problems != asked[0]:
            raise RunError(
                f"{cell.folder} and {found[0][0].folder} answered different problems, so they cannot be compared. Give "
                "all arms the same [evaluate], and remove cells that were run on older data."
            )
