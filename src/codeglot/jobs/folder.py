"""Whose run folder this is: one process at a time, and one run file for all that is in it."""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from codeglot import runs
from codeglot.config import read_tree
from codeglot.errors import ConfigError, RunError
from codeglot.jobs.changes import changed_settings
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
    _refuse_foreign_config(out)
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
    _refuse_foreign_config(out)
    _refuse_changed(out, run)


def refuse_unwritable(out: Path) -> None:
    """Stop where no folder `out` can be made or written to, as far as that is known without trying.

    Raises:
        RunError: If a file is in the way, or the rights are missing.
    """
    with _at(out):
        nearest = next(folder for folder in (out, *out.parents) if folder.exists())
        if not nearest.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is no folder")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"{nearest} is not yours to write to")


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


def _refuse_changed(out: Path, run: RunFile) -> None:
    if changed := changed_settings(out, run):
        raise RunError(
            f"{out} holds a run with other settings ({'; '.join(changed)}). "
            "Continue it with the settings it began with, or name another folder with --out."
        )


def _refuse_foreign(out: Path) -> None:
    refuse_unwritable(out)
    with _at(out):
        names = {path.name for path in out.iterdir()} if out.exists() else set()
    if names - {runs.LOCK} and runs.CONFIG not in names:
        raise RunError(
            f"The folder {out} holds files but no {runs.CONFIG}, so it is no run folder; name an empty or a new one."
        )


def _refuse_foreign_config(out: Path) -> None:
    """Other things have a config.json too, models for instance; theirs is not to be written over."""
    with _at(out):
        is_there = (out / runs.CONFIG).exists()
    if is_there and not holds_run_file(out):
        raise RunError(
            f"{out / runs.CONFIG} is not that of a run, so {out} is something else, a model for instance. Name an "
            "empty or a new folder with --out."
        )


def holds_run_file(folder: Path) -> bool:
    """Whether the config.json of a folder is that of a run."""
    try:
        return read_tree(folder / runs.CONFIG).keys() <= RunFile.model_fields.keys()
    except ConfigError:
        return False


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
