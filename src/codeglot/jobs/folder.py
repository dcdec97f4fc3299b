"""Whose run folder this is: one process at a time, and one run file for all that is in it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from codeglot import runs
from codeglot.config import build, read_tree
from codeglot.errors import RunError
from codeglot.jobs.runfile import RunFile, differences

_TRAINED = {"seed", "base", "data", "methods", "optim", "train", "validation"}
"""Sections of the run file that a training rests on."""
_JUDGED = _TRAINED | {"generate", "evaluate"}
"""Those that completions and verdicts rest on."""


@contextmanager
def claim(out: Path, run: RunFile) -> Iterator[None]:
    """Hold the run folder `out` for `run`, made where it is missing. While nothing is written, settings may change.

    Raises:
        RunError: If another process works in it, if it holds something else, or the results of other settings.
    """
    with hold(out):
        if changed := changed_settings(out, run):
            raise RunError(
                f"{out} holds a run with other settings ({', '.join(changed)}). "
                "Continue it with the settings it began with, or name another folder with --out."
            )
        runs.write_json(out / runs.CONFIG, run)
        yield


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
        yield


def trained_run(folder: Path, out: Path | None) -> dict[str, Any]:
    """The run file of a folder that was trained, as tables, to be judged in `out`; None: in the folder itself.

    Judged elsewhere, it is a run of its own: the base with that folder's adapter, and nothing to train.

    Raises:
        RunError: If the folder is no run folder, or was not trained.
    """
    if not (folder / runs.CONFIG).is_file() or not (folder / runs.TRAINING).is_file():
        raise RunError(
            f"{folder} holds no {runs.CONFIG} and {runs.TRAINING}, so nothing was trained there. Name a folder that "
            "`codeglot train` finished, or a run file."
        )
    tree = {key: value for key, value in read_tree(folder / runs.CONFIG).items() if value is not None}
    if out is None or out.resolve() == folder.resolve():
        return tree
    judged = {key: value for key, value in tree.items() if key not in _TRAINED or key in {"seed", "base"}}
    judged["base"] = {**tree["base"], "adapter": str((folder / runs.ADAPTER).resolve())}
    return judged


def changed_settings(out: Path, run: RunFile) -> list[str]:
    """Dotted keys in which `run` differs from the run file that the results in `out` rest on; none without results."""
    sections = _TRAINED if _has_rows(out / runs.METRICS) else set()
    if sections and run.validation is not None and not (out / runs.TRAINING).exists():
        sections = sections | {"generate"}  # validation asks as it says, and is not over
    sections = _JUDGED if _has_rows(out / runs.COMPLETIONS) else sections
    if not sections:
        return []
    config = out / runs.CONFIG
    keys = differences(build(RunFile, read_tree(config), source=str(config)), run)
    return [key for key in keys if key.partition(".")[0] in sections]


def _open_lock(out: Path) -> TextIO:
    """Make the folder where it is missing; refuse one that is not ours before anything is put into it."""
    try:
        if out.exists() and not out.is_dir():
            raise RunError(f"--out {out} is no folder; name one.")
        names = {path.name for path in out.iterdir()} if out.exists() else set()
        if names - {runs.LOCK} and runs.CONFIG not in names:
            raise RunError(
                f"The folder {out} holds files but no {runs.CONFIG}, so it is no run folder; "
                "name an empty or a new one."
            )
        out.mkdir(parents=True, exist_ok=True)
        return (out / runs.LOCK).open("w")
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(f"Cannot write to the run folder {out}: {reason}. Name another with --out.") from error


def _has_rows(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
