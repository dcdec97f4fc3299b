"""Verdicts that outlive their run: equal programs are run once, in this run and in later ones.

Models write the same program again and again: over seeds, over arms, over problems that differ in their wording. Two
programs with one execution key (program, tests, language, toolchain, limits) are the same experiment, so the first
verdict serves both. Only endings that the program alone decides are kept; a time or memory limit depends on the load.
Once a verdict of what was kept ready is contradicted from nothing, those that stand before it serve nobody.

Promises: a torn or foreign line is skipped; several processes may append at once; verdicts of another version of the
judging code are never seen. It does not promise that a program which rolls dice would end the same way twice.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from codeglot import runs
from codeglot.errors import RunError
from codeglot.execute.cold import execution_key
from codeglot.execute.local import Key, Pool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.languages import spec
from codeglot.records import Execution, Verdict, short_hash

REUSABLE = frozenset(
    {
        Verdict.PASS,
        Verdict.FAIL_ASSERT,
        Verdict.FAIL_OUTPUT,
        Verdict.COMPILE_ERROR,
        Verdict.RUNTIME_ERROR,
        Verdict.NO_TESTS_RAN,
        Verdict.EARLY_EXIT,
    }
)
"""Endings that the program alone decides."""

_KEY = re.compile(rb'"execution_key":"([0-9a-f]{16})"')
_CONTRADICTS = re.compile(rb'"contradicts":"[^"]')


def default_log(level: str) -> Path:
    """The log in the cache folder for verdicts given at this isolation level by this very judging code."""
    return _folder() / f"{short_hash(level, judging_code())}.jsonl"


def refuse_unwritable_log() -> None:
    """Stop where no verdict could be kept, as far as that is known without a level.

    Raises:
        RunError: With the reason.
    """
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _refusal(folder, error) from error


def _folder() -> Path:
    return runs.cache_folder() / "verdicts"


def _refusal(path: Path, error: OSError) -> RunError:
    return RunError(
        f"Cannot keep verdicts in {path}: {error.strerror}. Make room, name another cache folder with "
        "CODEGLOT_CACHE, or run every program anew with evaluate.reuse=false."
    )


def judging_code() -> str:
    """Hash of all code that decides verdicts."""
    package = resources.files("codeglot.execute")
    code = sorted(path for path in Path(str(package)).rglob("*") if path.is_file() and path.suffix not in {".pyc"})
    return short_hash([path.read_bytes().hex() for path in code])


class VerdictLog:
    """An append-only file of executions, found by their key.

    Args:
        path: JSONL file, made where it is missing.

    Raises:
        RunError: If it cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._doubted_to: dict[str, int] = {}
        """Where the last contradiction stands, by language id."""
        self._read_to = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise _refusal(self._path, error) from error

    def find(self, key: str) -> Execution | None:
        """The verdict under this key, also one that another process wrote meanwhile; None if there is none."""
        self._read_on()
        if key not in self._places:
            return None
        start, length = self._places[key]
        try:
            found = Execution.model_validate_json(os.pread(self._file, length, start))
        except ValidationError:  # torn by a kill or a full disk
            del self._places[key]
            return None
        doubted_to = max((self._doubted_to.get(language_id, 0) for language_id in found.versions), default=0)
        is_doubted = found.strategy and start < doubted_to
        return found if found.execution_key == key and found.verdict in REUSABLE and not is_doubted else None

    def add(self, execution: Execution) -> None:
        """Keep a verdict, if it serves equal programs too and none is there, or only one of what was kept ready."""
        if execution.verdict in REUSABLE and execution.execution_key:
            found = self.find(execution.execution_key)
            if found is None or (found.strategy and not execution.strategy):
                self._write(execution)

    def replace(self, execution: Execution) -> None:
        """Put a later verdict in the place of one that was taken back; one that serves none ends it."""
        if execution.execution_key and self.find(execution.execution_key):
            self._write(execution)

    def _write(self, execution: Execution) -> None:
        line = execution.model_copy(update={"task_id": "", "sample": 0}).model_dump_json().encode() + b"\n"
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                os.write(self._file, line if self._ends_with_a_line() else b"\n" + line)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        except OSError as error:
            raise _refusal(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ends_with_a_line(self) -> bool:
        size = os.fstat(self._file).st_size
        return size == 0 or os.pread(self._file, 1, size - 1) == b"\n"

    def _read_on(self) -> None:
        """Note the places of whole lines that were written since."""
        if os.fstat(self._file).st_size <= self._read_to:
            return
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):  # its writer is at it, or was killed
                    break
                if match := _KEY.search(line):
                    self._places[match[1].decode()] = (self._read_to, len(line) - 1)
                if _CONTRADICTS.search(line):
                    self._doubt(line)
                self._read_to += len(line)

    def _doubt(self, line: bytes) -> None:
        """Note that what was kept ready for a language judged a program wrongly."""
        try:
            contradiction = Execution.model_validate_json(line)
        except ValidationError:  # torn by a kill or a full disk
            return
        self._doubted_to |= dict.fromkeys(contradiction.versions, self._read_to)


class ReusingPool:
    """A pool that runs only programs whose verdict is not known yet.

    An execution that was taken from the log says `attempts = 0`; its times are those of the run that was made.

    Args:
        pool: Runs the others.
        log: What is known.
        versions: Version of the toolchain by language id, as the pool's sandbox reports it.
    """

    def __init__(self, pool: Pool, log: VerdictLog, versions: Mapping[str, str]) -> None:
        self._pool = pool
        self._log = log
        self._versions = versions

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        """Yield each execution under its key, as `LocalPool.run_all` does."""
        known: list[tuple[Key, Execution]] = []
        waiting: dict[str, list[tuple[Key, ExecutionRequest]]] = {}
        served: dict[Key, list[Key]] = {}
        owners: dict[str, Key] = {}
        alone: list[tuple[Key, ExecutionRequest]] = []

        def unknown() -> Iterator[tuple[tuple[Key, str], ExecutionRequest]]:
            for key, request in requests:
                name = self._name(request)
                if name in waiting:  # the same program is under way
                    waiting[name].append((key, request))
                elif (found := self._log.find(name)) and not (request.from_nothing and found.strategy):
                    known.append((key, _taken(found)))
                    if name in owners:
                        served[owners[name]].append(key)
                else:
                    waiting[name] = []
                    yield (key, name), request

        with closing(self._pool.run_all(unknown())) as results:
            for (key, name), execution in results:
                while known:
                    yield known.pop()
                yield key, execution
                if key in served:  # its first verdict is taken back
                    self._log.replace(execution)
                    yield from ((other, _taken(execution)) for other in served[key])
                    continue
                self._log.add(execution)
                twins = waiting.pop(name)
                served[key], owners[name] = [], key
                if execution.verdict in REUSABLE:
                    served[key] += [twin for twin, _ in twins]
                    yield from ((twin, _taken(execution)) for twin, _ in twins)
                else:
                    alone += twins
        yield from known
        with closing(self._pool.run_all(alone)) as rest:
            yield from rest

    def _name(self, request: ExecutionRequest) -> str:
        language = spec.get(request.language_id)
        return execution_key(request, language, self._versions.get(language.id, ""))


def _taken(execution: Execution) -> Execution:
    return execution.model_copy(update={"attempts": 0, "contradicts": ""})
