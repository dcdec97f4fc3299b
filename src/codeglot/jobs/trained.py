"""Folders that `codeglot train` left, read again: what was trained there, and whether it was finished."""

from pathlib import Path
from typing import Any

from codeglot import runs
from codeglot.config import read_tree
from codeglot.errors import RunError
from codeglot.jobs.changes import TRAINED
from codeglot.jobs.folder import holds_run_file


def trained_run(folder: Path, out: Path | None) -> dict[str, Any]:
    """The run file of a folder that was trained, as tables, to be judged in `out`; None: in the folder itself.

    Judged elsewhere, it is a run of its own: the base with that folder's adapter, and nothing to train.

    Raises:
        RunError: If the folder is no run folder, or was not trained.
    """
    if is_unfinished(folder):
        raise RunError(
            f"The training in {folder} is not finished. Go on with `codeglot train {folder / runs.CONFIG} --out "
            f"{folder}`, then evaluate it."
        )
    if not holds_run_file(folder) or not (folder / runs.TRAINING).is_file():
        raise RunError(
            f"{folder} holds no {runs.CONFIG} and {runs.TRAINING}, so nothing was trained there. Name a folder that "
            "`codeglot train` finished."
        )
    tree = {key: value for key, value in read_tree(folder / runs.CONFIG).items() if value is not None}
    if out is None or out.resolve() == folder.resolve():
        return tree
    judged = {key: value for key, value in tree.items() if key not in TRAINED or key in {"seed", "base"}}
    judged["base"] = {**tree["base"], "adapter": str((folder / runs.ADAPTER).resolve())}
    return judged


def trained_adapter(folder: Path) -> Path:
    """The adapter of a folder that was trained to its end.

    Raises:
        RunError: If the folder is no run folder, or was not trained.
    """
    trained_run(folder, None)
    return folder / runs.ADAPTER


def is_unfinished(folder: Path) -> bool:
    """Whether the training of a run file was begun in a folder, and did not come to its end."""
    begun = (folder / runs.METRICS).exists() or (folder / runs.CHECKPOINTS).exists()
    return begun and holds_run_file(folder) and not (folder / runs.TRAINING).is_file()
