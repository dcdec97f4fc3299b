"""Whose run folder this is: one process at a time, and one run file for all that is in it."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from codeglot import runs
from codeglot.config import read_tree
from codeglot.errors import RunError
from codeglot.jobs.changes import TRAINED, changed_settings
from codeglot.jobs.runfile import RunFile

_BEFORE_WORK = (runs.CONFIG, runs.PROBLEMS, runs.LOCK)
"""Files that say what is wanted, and hold nothing that was worked for."""


@contextmanager
def claim(out: Path, run: RunFile) -> Iterator[None]:
    """Hold the run folder `out` for `run`, made where it is missing. While nothing is written, settings may change.

    A failure before any work leaves no folder that was not there before.

    Raises:
        RunError: If another process works in it, if it holds something else, or the results of other settings.
    """
    with _at(out):
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    with hold(out):
        try:
            _refuse_changed(out, run)
            runs.write_json(out / runs.CONFIG, run)
            yield
        except BaseException:
            if missing and {path.name for path in out.iterdir()} <= {*_BEFORE_WORK}:
                _remove(missing)
            raise


def check_folder(out: Path, run: RunFile) -> None:
    """Say what `claim` would say of what lies in `out`, and touch nothing.

    Raises:
        RunError: If it holds something else, or the results of other settings.
    """
    _refuse_foreign(out)
    _refuse_changed(out, run)


@contextmanager
def hold(out: Path) -> Iterator[None]:
    """Work in the run folder `out`, made where it is missing, as the only process.

    Raises:
        RunError: If another process works in it, or if it holds something else.
    """
    with _open_lock(out) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(
                f"Another process is working in {out}; wait for it, or name another folder with --out."
            ) from error
        if not os.fstat(lock.fileno()).st_nlink:
            raise RunError(f"Another process, which failed, has removed {out} meanwhile. Run the same command again.")
        yield


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
    if not (folder / runs.CONFIG).is_file() or not (folder / runs.TRAINING).is_file():
        raise RunError(
            f"{folder} holds no {runs.CONFIG} and {runs.TRAINING}, so nothing was trained there. Name a folder that "
            "`codeglot train` finished, or a run file."
        )
    tree = {key: value for key, value in read_tree(folder / runs.CONFIG).items() if value is not None}
    if out is None or out.resolve() == folder.resolve():
        return tree
    judged = {key: value for key, value in tree.items() if key not in TRAINED or key in {"seed", "base"}}
    judged["base"] = {**tree["base"], "adapter": str((folder / runs.ADAPTER).resolve())}
    return judged


def is_unfinished(folder: Path) -> bool:
    """Whether a training was begun in a folder, and did not come to its end."""
    begun = (folder / runs.METRICS).exists() or (folder / runs.CHECKPOINTS).exists()
    return begun and (folder / runs.CONFIG).is_file() and not (folder / runs.TRAINING).is_file()


def _refuse_changed(out: Path, run: RunFile) -> None:
    if changed := changed_settings(out, run):
        raise RunError(
            f"{out} holds a run with other settings ({'; '.join(changed)}). "
            "Continue it with the settings it began with, or name another folder with --out."
        )


def _refuse_foreign(out: Path) -> None:
    with _at(out):
        if out.exists() and not out.is_dir():
            raise RunError(f"--out {out} is no folder; name one.")
        names = {path.name for path in out.iterdir()} if out.exists() else set()
    if names - {runs.LOCK} and runs.CONFIG not in names:
        raise RunError(
            f"The folder {out} holds files but no {runs.CONFIG}, so it is no run folder; name an empty or a new one."
        )


def _open_lock(out: Path) -> TextIO:
    """Make the folder where it is missing; refuse one that is not ours before anything is put into it."""
    _refuse_foreign(out)
    with _at(out):
        out.mkdir(parents=True, exist_ok=True)
        return (out / runs.LOCK).open("w")


def _remove(missing: Sequence[Path]) -> None:
    """Take away the first of these folders, whose lock is held, and the ones around it, as far as they are empty."""
    out = missing[0]
    with suppress(OSError):
        for name in _BEFORE_WORK:
            (out / name).unlink(missing_ok=True)
        for folder in missing:
            folder.rmdir()


@contextmanager
def _at(out: Path) -> Iterator[None]:
    """Say why no run folder can be at `out`."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(f"Cannot write to the run folder {out}: {reason}. Name another with --out.") from error
