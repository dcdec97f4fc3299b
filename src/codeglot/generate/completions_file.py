"""Somebody else's generations, from a file: the engine behind `--completions FILE`.

A line of the JSONL (or `.jsonl.gz`, `.json`, `.parquet`) file holds `task_id` and the text in one of `completion`,
`text`, `generation`, `solution`, `raw_completion`, or a list of them in `completions`; `sample` where there are
several lines per task (without it, lines of a task are numbered as they come). Continuations and whole programs
are told apart later, when the program is extracted.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path

from codeglot.data.sources import Row, iter_rows
from codeglot.errors import DataError
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.records import Completion, FinishReason, Problem

TEXT_COLUMNS = ("completion", "text", "generation", "solution", "raw_completion")
LIST_COLUMN = "completions"

Texts = dict[tuple[str, int], Completion]


class CompletionsFile:
    """Answers each request with the text that the file has for its task and sample."""

    device = "file of completions"

    def __init__(self, path: Path, problems: Sequence[Problem], num_samples: int = 1) -> None:
        """Read the whole file, so that every mistake in it shows before anything runs.

        Raises:
            DataError: If it is missing or malformed, or does not hold `num_samples` samples for exactly `problems`.
        """
        self._completions, found = _read(path, problems, num_samples)
        if found != num_samples:
            raise DataError(
                f"{path} holds {found} sample(s) per problem, and {num_samples} are asked for. "
                f"Say --samples {found} (generate.num_samples={found}), or leave {num_samples} in the file."
            )

    def generate(self, requests: Sequence[GenerationRequest], decoding: Decoding) -> Generator[Completion, None, None]:  # noqa: ARG002 - the protocol's
        """Yield the completions asked for, in the order of the requests."""
        for request in requests:
            found = self._completions[request.task_id, request.sample]
            yield found.model_copy(update={"prompt_hash": request.prompt_hash})


def _read(path: Path, problems: Sequence[Problem], asked: int) -> tuple[Texts, int]:
    names = _Names(problems)
    completions: Texts = {}
    next_sample: dict[str, int] = {}
    unnumbered: dict[str, list[str]] = {}
    faults = _Faults()
    for row in iter_rows(path):
        task_id = names.resolve(row.values.get("task_id"))
        if row.values.get("task_id") is None:
            faults.add("has no task_id", row.where)
            continue
        if task_id is None:
            faults.add("names no problem of this run", f"{row.values.get('task_id')!r} ({row.where})")
            continue
        if row.values.get("sample") is None:
            unnumbered.setdefault(task_id, []).append(row.where.removeprefix(f"{path}, "))
        for offset, text in enumerate(_texts(row)):
            sample = _sample(row, next_sample.get(task_id, 0), offset)
            next_sample[task_id] = max(next_sample.get(task_id, 0), sample + 1)
            if (task_id, sample) in completions:
                faults.add("is there twice", f"{task_id} sample {sample} ({row.where})")
                continue
            completions[task_id, sample] = Completion(
                task_id=task_id, sample=sample, text=text, finish_reason=_reason(row)
            )
    num_samples = max(next_sample.values(), default=0)
    counts = dict.fromkeys(names.task_ids, 0) | Counter(task_id for task_id, _ in completions)
    repeated = {task_id: places for task_id, places in unnumbered.items() if len(places) > 1}
    faults.add_uneven(counts, repeated, asked, num_samples)
    faults.raise_if_any(path)
    return completions, num_samples


def _texts(row: Row) -> list[str]:
    given = [name for name in (LIST_COLUMN, *TEXT_COLUMNS) if row.values.get(name) is not None]
    if len(given) > 1:
        raise DataError(f"{row.where}: {' and '.join(given)} each hold a completion; leave one of these columns.")
    if given == [LIST_COLUMN]:
        return row.lines(LIST_COLUMN)
    if given:
        text = row.values[given[0]]
        if isinstance(text, str):
            return [text]  # an empty answer is an answer
        raise DataError(f"{row.where}: {given[0]} must be a text; it is {text!r}.")
    if empty := [name for name in (LIST_COLUMN, *TEXT_COLUMNS) if name in row.values]:
        raise DataError(f"{row.where}: {empty[0]} is null; an empty answer is an empty text.")
    raise DataError(
        f"{row.where}: no completion; one of {', '.join(TEXT_COLUMNS)} or the list {LIST_COLUMN} is needed, "
        f"and the columns are {', '.join(row.values)}."
    )


def _sample(row: Row, following: int, offset: int) -> int:
    given = row.values.get("sample")
    if given is None:
        return following
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise DataError(f"{row.where}: sample must be a whole number from 0; it is {given!r}.")
    return given + offset


def _reason(row: Row) -> FinishReason:
    """Why it ended, where the file says so; cut-off answers are told apart in the taxonomy."""
    given = row.values.get("finish_reason")
    return FinishReason(given) if given in set(FinishReason) else FinishReason.STOP


class _Names:
    """Task ids of the run, and the bare numbers that some tools write in their place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.task_ids = [problem.task_id for problem in problems]
        self._by_name: dict[str, str | None] = {}
        for task_id in self.task_ids:
            number = task_id.rpartition("/")[2]
            self._by_name[number] = None if number in self._by_name else task_id  # None: of several problems
        self._by_name.update({task_id: task_id for task_id in self.task_ids})

    def resolve(self, name: object) -> str | None:
        """The task id meant by a string or a whole number; None for an unknown or ambiguous one."""
        return self._by_name.get(str(name)) if isinstance(name, str | int) else None


class _Faults:
    """Mistakes of a file by kind, told in one error."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}

    def add(self, kind: str, place: str) -> None:
        self._places.setdefault(kind, []).append(place)

    def add_uneven(
        self, counts: Mapping[str, int], repeated: Mapping[str, Sequence[str]], asked: int, num_samples: int
    ) -> None:
        """Where problems differ in their samples: those that have none, a line too many, or too few."""
        for task_id, places in repeated.items():
            if asked < counts[task_id] != min(counts.values()):
                self.add("has several lines without 'sample', each taken for one", f"{task_id} ({', '.join(places)})")
        for task_id, count in counts.items():
            if count == 0:
                self.add("is missing", task_id)
            elif count != num_samples:
                self.add(f"has fewer than {num_samples} samples, numbered from 0", f"{task_id} ({count})")

    def raise_if_any(self, path: Path) -> None:
        if not self._places:
            return
        lines = []
        for kind, places in self._places.items():
            more = f", and {len(places) - 5} more" if len(places) > 5 else ""
            lines.append(f"  {len(places)} x {kind}: {', '.join(places[:5])}{more}")
        raise DataError(
            f"{path} does not fit the problems of this run:\n" + "\n".join(lines) + "\n"
            "Give one line per problem and sample, and the same benchmark, languages, split and limit that made it."
        )
