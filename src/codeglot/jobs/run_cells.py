"""Running the cells of an experiment: what is finished is kept, what was killed goes on."""

import resource
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from codeglot import runs
from codeglot.config import StrictModel, build, read_tree
from codeglot.errors import DivergedError, RunError
from codeglot.evaluate.score import read_scores
from codeglot.jobs.cells import Cell
from codeglot.jobs.changes import changed_settings
from codeglot.jobs.evaluate import evaluate
from codeglot.jobs.progress import Progress
from codeglot.train.metrics import MetricsRow

CELL = "cell.json"


class Spent(StrictModel):
    """What a finished cell took: `cell.json`, written last."""

    cpu_s: float
    """CPU seconds of this process and its children in the start that finished it, and of the training steps before that
    metrics.jsonl still tells of; what else killed starts took is not known."""
    wall_s: float
    """The same in seconds of wall time."""
    failure: str = ""
    """Why its training broke off; empty for a cell that has scores."""


RunCell = Callable[[Cell, Path, Progress], None]
"""Leaves a scored run in a folder; the one argument that tests replace."""


def train_and_evaluate(cell: Cell, folder: Path, progress: Progress) -> None:
    """Train where the arm is trained, then generate, execute and score."""
    is_trained = (folder / runs.TRAINING).exists() and (folder / runs.ADAPTER).is_dir()
    if cell.training is not None and not is_trained:
        import_module("codeglot.jobs.train").train(cell.training, folder, progress)  # needs torch
    evaluate(cell.run, folder, progress)


def refuse_changed(cells: Iterable[Cell], out: Path) -> None:
    """Stop if a folder holds results of other settings than its cell has now.

    Raises:
        RunError: Naming every such folder and what differs.
    """
    pairs = ((out / cell.folder, changed_settings(out / cell.folder, cell.run)) for cell in cells)
    if changed := [f"  {folder}: {'; '.join(changes)}" for folder, changes in pairs if changes]:
        raise RunError(
            "Some cells were begun with other settings:\n" + "\n".join(changed) + "\nSet the settings back, remove "
            "these folders, or name another folder with --out."
        )


def is_finished(cell: Cell, out: Path) -> bool:
    """Whether a cell was run to its end, be it a broken off one."""
    return (out / cell.folder / CELL).exists()


def spent_on(cell: Cell, out: Path) -> Spent:
    """What a finished cell took."""
    return read_spent(out / cell.folder)


def _refuse_broken_beginning(cell: Cell, out: Path) -> None:
    if cell.extends is not None and read_spent(out / cell.extends).failure:
        raise DivergedError(f"{out / cell.extends} broke off, so there is nothing to go on from.")


def read_spent(folder: Path) -> Spent:
    """What the finished cell of a folder took."""
    return build(Spent, read_tree(folder / CELL), source=str(folder / CELL))


def run_one(cell: Cell, out: Path, progress: Progress, run_cell: RunCell) -> None:
    """Run a cell to its end and note what it took; that its training cannot go on is a result too.

    Raises:
        CodeglotError: As the jobs do.
        RunError: If programs have no verdict: a comparison with gaps would depend on which they are.
    """
    folder = out / cell.folder
    earlier_cpu_s, earlier_wall_s = _trained_before(folder)
    cpu, wall = _cpu_s(), time.monotonic()

    def spent(failure: str = "") -> Spent:
        cpu_s, wall_s = _cpu_s() - cpu, time.monotonic() - wall
        return Spent(cpu_s=earlier_cpu_s + cpu_s, wall_s=earlier_wall_s + wall_s, failure=failure)

    try:
        _refuse_broken_beginning(cell, out)
        run_cell(cell, folder, progress)
    except DivergedError as error:
        progress.say(f"{folder} broke off: {error}")
        runs.write_json(folder / CELL, spent(str(error)))
        return
    if missing := read_scores(folder / runs.SCORES).incomplete:
        raise RunError(
            f"{folder}: {missing} programs have no verdict, since the machine failed. Run the same command again; only "
            "they are run."
        )
    runs.write_json(folder / CELL, spent())


def spent_cpu_hours(out: Path) -> float:
    """CPU hours of all finished cells, those of tuning among them."""
    return sum(read_spent(path.parent).cpu_s for path in sorted(out.rglob(CELL))) / 3600


def keep_to_budget(limit: float | None, out: Path) -> None:
    """Stop before a further cell once the limit is reached.

    Args:
        limit: CPU hours; None: no limit.
        out: Folder of the experiment.

    Raises:
        RunError: If it is reached.
    """
    if limit is not None and (spent := spent_cpu_hours(out)) >= limit:
        raise RunError(
            f"{spent:.2f} CPU hours are spent, and budget.max_cpu_hours is {limit:g}. What is finished stays in {out}; "
            "raise the limit to go on."
        )


def _trained_before(folder: Path) -> tuple[float, float]:
    """CPU and wall seconds of the training steps of earlier starts."""
    metrics = folder / runs.METRICS
    rows = [(row.cpu_s, row.wall_s) for row in runs.iter_rows(metrics, MetricsRow)] if metrics.exists() else []
    return rows[-1] if rows else (0.0, 0.0)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
