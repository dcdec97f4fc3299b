"""Before the first cell of an experiment: could each of them be trained and judged?"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from codeglot.errors import CodeglotError, ConfigError, RunError
from codeglot.jobs.cells import Cell
from codeglot.jobs.evaluate import check
from codeglot.jobs.progress import Silent
from codeglot.jobs.run_cells import CELL
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.train import get_ready
from codeglot.methods.adapter import load_adapted, save_methods

_ALIKE: Any = {"seed": True, "extends": True, "optim": {"lr"}}
"""Settings whose values make nothing possible or impossible."""


def check_cells(cells: Sequence[Cell], trainings: Mapping[str, TrainingRun], out: Path) -> None:
    """Do everything of each cell that costs little, once for those that differ in nothing but seed and rate.

    Args:
        cells: To be run.
        trainings: What is trained in each folder of the experiment, for cells that go on from another one.
        out: Folder of the experiment.

    Raises:
        RunError: If what a cell goes on from is neither finished nor to be run.
        ConfigError: With the mistakes of all cells, each behind the folder of the first cell that has it.
    """
    ahead = {cell.folder for cell in cells}
    for cell in cells:
        if cell.extends and cell.extends not in ahead and not (out / cell.extends / CELL).exists():
            raise RunError(
                f"{cell.folder} goes on from {cell.extends}, which is not finished and not to be run now. Name its arm "
                "and its seed too."
            )
    attempts: dict[str, tuple[str, Callable[[], None]]] = {}
    for cell in cells:
        run = cell.training or cell.run
        first = None if cell.extends is None else trainings[cell.extends]
        kind = run.model_dump_json(exclude=_ALIKE) + (first.model_dump_json(exclude=_ALIKE) if first else "")
        attempts.setdefault(kind, (cell.folder, partial(_try, cell, first)))
    faults: dict[str, str] = {}
    for folder, attempt in attempts.values():
        try:
            attempt()
        except CodeglotError as error:
            faults.setdefault(str(error), folder)
    if faults:
        raise ConfigError("\n".join(f"{folder}: {fault}" for fault, folder in faults.items()))


def _try(cell: Cell, first: TrainingRun | None) -> None:
    """Check one; what it goes on from need not be trained yet, so its beginning stands for it."""
    if cell.training and first:
        with TemporaryDirectory() as folder:
            begun = get_ready(first, Silent())
            save_methods(begun.attached, Path(folder), begun.base.tokenizer)
            get_ready(cell.training, Silent(), Path(folder))
    elif cell.training:
        get_ready(cell.training, Silent())
    else:
        check(cell.run, Silent(), load_adapted(cell.run.base) if cell.run.base else None)
