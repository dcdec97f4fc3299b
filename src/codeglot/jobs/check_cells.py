"""Before the first cell of an experiment: is there what all of them ask for?"""

from collections.abc import Callable, Iterable
from functools import partial

from codeglot.errors import CodeglotError, ConfigError
from codeglot.jobs.cells import Cell
from codeglot.jobs.evaluate import check
from codeglot.jobs.progress import Silent
from codeglot.jobs.runfile import EvaluationRun, TrainingRun
from codeglot.jobs.train import attach
from codeglot.jobs.validation import judgings
from codeglot.methods.adapter import load_adapted
from codeglot.models.load import load_base


def check_cells(cells: Iterable[Cell]) -> None:
    """Find the problems of each distinct judging, and attach each distinct list of methods to its base, once.

    Raises:
        ConfigError: With the mistakes of all cells, each behind the folder of the first cell that has it.
    """
    attempts: dict[str, tuple[str, Callable[[], None]]] = {}
    for cell in cells:
        for run in judgings(cell.training) if cell.training else [cell.run]:
            key = run.model_dump_json(include={"base", "generate", "evaluate"})
            attempts.setdefault(key, (cell.folder, partial(_ask, run)))
        if cell.training:
            key = cell.training.model_dump_json(include={"base", "methods"})
            attempts.setdefault(key, (cell.folder, partial(_attach, cell.training)))
    faults: dict[str, str] = {}
    for folder, attempt in attempts.values():
        try:
            attempt()
        except CodeglotError as error:
            faults.setdefault(str(error), folder)
    if faults:
        raise ConfigError("\n".join(f"{folder}: {fault}" for fault, folder in faults.items()))


def _ask(run: EvaluationRun) -> None:
    check(run, Silent(), load_adapted(run.base) if run.base else None)


def _attach(run: TrainingRun) -> None:
    attach(run, load_base(run.base), run.evaluate.languages or () if run.evaluate else ())
