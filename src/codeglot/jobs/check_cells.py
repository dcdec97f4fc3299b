"""Before the first cell of an experiment: could each of them be trained and judged?"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from codeglot.errors import CodeglotError, ConfigError
from codeglot.jobs.cells import Cell
from codeglot.jobs.evaluate import check
from codeglot.jobs.progress import Silent
from codeglot.jobs.train import get_ready
from codeglot.methods.adapter import load_adapted

_ALIKE: Any = {"seed": True, "optim": {"lr"}}
"""Settings whose values make nothing possible or impossible."""


def check_cells(cells: Iterable[Cell]) -> None:
    """Do everything of each cell that costs little, once for those that differ in nothing but seed and rate.

    Raises:
        ConfigError: With the mistakes of all cells, each behind the folder of the first cell that has it.
    """
    attempts: dict[str, tuple[str, Callable[[], None]]] = {}
    for cell in cells:
        run = cell.training or cell.run
        attempts.setdefault(run.model_dump_json(exclude=_ALIKE), (cell.folder, partial(_try, cell)))
    faults: dict[str, str] = {}
    for folder, attempt in attempts.values():
        try:
            attempt()
        except CodeglotError as error:
            faults.setdefault(str(error), folder)
    if faults:
        raise ConfigError("\n".join(f"{folder}: {fault}" for fault, folder in faults.items()))


def _try(cell: Cell) -> None:
    if cell.training:
        get_ready(cell.training, Silent())
    else:
        check(cell.run, Silent(), load_adapted(cell.run.base) if cell.run.base else None)
