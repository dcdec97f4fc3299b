"""The run folder: its file names, its JSONL files, and the record of where it was made.

Guarantees: a whole file is replaced atomically or not at all; an appended line is flushed at once; a last
line torn by a kill or a full disk is dropped on reading and cut off before the next append, so such a run continues.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ValidationError

from codeglot.config import StrictModel, explain
from codeglot.errors import DataError, RunError

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
PROBLEMS = "problems.jsonl"
COMPLETIONS = "completions.jsonl"
EXECUTIONS = "executions.jsonl"
SCORES = "scores.json"
REPORT_MARKDOWN = "report.md"
REPORT_HTML = "report.html"
METRICS = "metrics.jsonl"
TRAINING = "training.json"
ADAPTER = "adapter"
CHECKPOINTS = "checkpoints"
LOCK = ".lock"

Row = TypeVar("Row", bound=BaseModel)


class Environment(StrictModel):
    """Where a run was made; a score without it is not reported."""

    codeglot: str
    """Version of this package."""
    commit: str | None
    """Commit of the checkout it ran from; None for an installed package."""
    is_dirty: bool | None
    """Whether that checkout had uncommitted changes."""
    python: str
    platform: str
    num_cores: int
    device: str
    """`cpu` or the name of the accelerator that generated."""
    packages: dict[str, str]
    """Versions of the installed packages that can change a result."""
    toolchains: dict[str, str]
    """First line of each language's version command."""
    sandbox_level: str


_RECORDED_PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "numpy", "pydantic", "tree-sitter")


def environment(*, device: str, toolchains: dict[str, str], sandbox_level: str) -> Environment:
    """Describe this machine and this installation."""
    commit, is_dirty = _checkout(Path(__file__).parent)
    return Environment(
        codeglot=metadata.version("codeglot"),
        commit=commit,
        is_dirty=is_dirty,
        python=sys.version.split()[0],
        platform=platform.platform(),
        num_cores=len(os.sched_getaffinity(0)),
        device=device,
        packages={name: version for name in _RECORDED_PACKAGES if (version := _version(name))},
        toolchains=toolchains,
        sandbox_level=sandbox_level,
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _checkout(folder: Path) -> tuple[str | None, bool | None]:
    """Commit and dirty flag of the git checkout that tracks this package, if one does."""
    git = ["git", "-C", str(folder)]
    try:
        tracked = subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, check=False)  # noqa: S603 - fixed command
        if tracked.returncode:
            return None, None
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    except OSError:
        return None, None
    return head.stdout.strip() or None, bool(status.stdout.strip())


def cache_folder() -> Path:
    """Where things that can be made again are kept: `CODEGLOT_CACHE`, else the system's place for it.

    For root it is outside the home folder, since sandboxed steps run as another user and must read it.
    """
    if named := os.environ.get("CODEGLOT_CACHE"):
        return Path(named).resolve()
    if os.geteuid() == 0:
        return Path("/var/cache/codeglot")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codeglot"


def write_text(path: Path, text: str) -> None:
    """Replace `path` atomically.

    Raises:
        RunError: If it cannot be written: no right, no room, no folder.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o666 & ~_umask())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink()
                raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say which file could not be written, and that nothing before it is lost."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"Cannot write {path}: {error.strerror}. What was written before is kept: "
            "make room or give the right to write, and run the same command again."
        ) from error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@contextmanager
def replacing_folder(folder: Path, also: tuple[type[Exception], ...] = ()) -> Iterator[Path]:
    """A folder to be filled beside `folder`, which takes its place if that succeeds: it is whole, or the one before.

    Args:
        folder: Where to; all that is in it is replaced.
        also: What writers raise, besides OSError, where they cannot write.

    Raises:
        RunError: If it cannot be written.
    """
    failures: tuple[type[Exception], ...] = (OSError, *also)
    new, old = (folder.with_name(f".{folder.name}.{state}") for state in ("new", "old"))
    try:
        if not folder.exists() and old.exists():  # killed between the two moves below
            old.rename(folder)
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir(parents=True)
        yield new
        _flush(new)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except failures as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RunError(
            f"Cannot write {folder}: {reason}. What was there before is kept: make room or give the right to write, "
            "and run the same command again."
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Force every file of a folder to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def write_json(path: Path, value: BaseModel | dict[str, Any] | list[Any]) -> None:
    """Replace `path` atomically with indented JSON."""
    tree = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    write_text(path, json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_rows(path: Path, rows: Iterable[BaseModel]) -> None:
    """Replace `path` atomically, one record a line."""
    write_text(path, "".join(row.model_dump_json() + "\n" for row in rows))


def read_rows(path: Path, schema: type[Row]) -> list[Row]:
    """Read every record of a JSONL file; a torn last line (no newline) is left out.

    Raises:
        DataError: If the file is missing, or a whole line is not a valid record.
    """
    return list(iter_rows(path, schema))


def iter_rows(path: Path, schema: type[Row]) -> Iterator[Row]:
    """Like `read_rows`, one record at a time."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}. Give a complete run folder.") from error
    for number, line in enumerate(lines[:-1], start=1):
        if not line.strip():
            continue
        try:
            yield schema.model_validate_json(line)
        except ValidationError as error:
            raise DataError(
                f"{explain(error, f'{path}, line {number},')}\nPut the file back as it was written, or take the line "
                "out; the same command makes what is missing."
            ) from None


class RowWriter:
    """Appends records to a JSONL file, each on disk before the next is asked for.

    Raises:
        RunError: On opening, writing or closing, if the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            _cut_torn_line(self._file.fileno())

    def write(self, row: BaseModel) -> None:
        """Append one line and hand it to the operating system."""
        with _writing(self._path):
            self._file.write(row.model_dump_json().encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Force what was written to the disk and close."""
        with _writing(self._path), self._file:
            os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        with suppress(RunError):  # the error that is under way is the one to tell
            self.close()


def _cut_torn_line(descriptor: int) -> None:
    """Shorten a file to its last newline."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - 65536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
