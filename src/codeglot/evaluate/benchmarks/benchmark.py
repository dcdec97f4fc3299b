"""What a benchmark is, the list of all of them, and how their problems are loaded.

A benchmark turns the rows of published files into `Problem`s, or makes them itself. Adding one takes its file and one
line here.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import ValidationError

from codeglot.config import explain
from codeglot.data.sources import Row, Source, data_folder, locate, read
from codeglot.errors import ConfigError, DataError, UnknownNameError
from codeglot.languages import spec
from codeglot.records import Problem

ANY_LANGUAGE = "*"
"""Key of `Benchmark.sources` where each row names its own language."""

ALL = "all"
"""The split that holds every problem."""

_log = logging.getLogger(__name__)


class Made(NamedTuple):
    """How a benchmark makes its own problems."""

    languages: Callable[[], Sequence[str]]
    """Ids of the programming languages that it has."""
    problems: Callable[[str, str, str, range], list[Problem]]
    """`(language_id, natural_language, split, numbers)` -> problems, any first few a fair sample."""
    natural_languages: Callable[[], Sequence[str]] | None = None
    """Codes of the languages that its prompts can be asked in; None: English alone."""
    default_languages: tuple[str, ...] = ()
    """Ids of the languages that are taken where none is asked for; empty: all."""


class Benchmark(NamedTuple):
    """Rows -> problems, by language; or the maker of the problems."""

    name: str
    license: str
    """SPDX id of the licence of the data."""
    citation: str
    sources: Mapping[str, Source] = MappingProxyType({})
    """By language id; empty where the problems are made."""
    problem: Callable[[str, Row], Problem] | None = None
    """`(language_id, row)` -> problem; None where the problems are made."""
    splits: Mapping[str, range] = MappingProxyType({})
    """Numbers that the task ids of each split end with."""
    default_split: str = ALL
    """The part that the field reports."""
    made: Made | None = None
    """The maker of the problems; None where they are read."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Ids of its programming languages, or `ANY_LANGUAGE`."""
        return tuple(self.sources if self.made is None else self.made.languages())

    @property
    def has_natural_languages(self) -> bool:
        """Whether the language of the prompts can be chosen."""
        return self.made is not None and self.made.natural_languages is not None


BENCHMARKS = ("humaneval", "humaneval_x", "mbpp", "sanitized_mbpp", "mbxp", "micro", "micro_nl", "problems")
"""One module each in this folder, which defines `BENCHMARK`."""


def get(name: str) -> Benchmark:
    """The benchmark of this name.

    Raises:
        UnknownNameError: If there is none.
    """
    if name not in BENCHMARKS:
        raise UnknownNameError("benchmark", name, BENCHMARKS)
    benchmark: Benchmark = import_module(f"codeglot.evaluate.benchmarks.{name}").BENCHMARK
    return benchmark


def load_problems(
    name: str,
    *,
    data: Path | None = None,
    languages: Sequence[str] | None = None,
    natural_languages: Sequence[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
) -> list[Problem]:
    """The problems of a benchmark, in the order of its files.

    Args:
        name: One of `BENCHMARKS`.
        data: Folder (or the one file) of its data; None: the folder `CODEGLOT_DATA`, else the Hugging Face hub.
        languages: Language ids; None: all that it has and whose data is there, or those it names as its default.
        natural_languages: Codes of the languages of the prompts; None: all. A benchmark that has one alone ignores it.
        split: Part of it, or `all`; None: the part that the field reports.
        limit: Only the first this many of each language, and of each natural language.

    Raises:
        UnknownNameError: If the benchmark, one of the languages or natural languages, or the split does not exist.
        ConfigError: If `data` is one file and several languages are asked for.
        DataError: If the data is missing, empty, malformed or has no tests.
    """
    benchmark = get(name)
    numbers = _numbers(benchmark, split or benchmark.default_split)
    if benchmark.made is not None:
        return _make(benchmark, benchmark.made, languages, natural_languages, (split, limit))
    local = data_folder(data)
    problems: list[Problem] = []
    for key in _keys(benchmark, languages, local):
        rows = read(benchmark.sources[key], local, folder=benchmark.name)
        found = [problem for problem in _build(benchmark, key, rows) if numbers is None or _number(problem) in numbers]
        problems += found[:limit] if key != ANY_LANGUAGE else _chosen(found, languages, limit)
    if not problems:
        raise DataError(
            f"{name} has no problem in split '{split or benchmark.default_split}' of this data; use --split {ALL}."
        )
    _refuse_repeats(name, problems)
    return problems


def _make(
    benchmark: Benchmark,
    made: Made,
    languages: Sequence[str] | None,
    natural_languages: Sequence[str] | None,
    part: tuple[str | None, int | None],
) -> list[Problem]:
    """The problems that a benchmark makes itself; `part` is the split and the limit."""
    split, limit = part
    ids = _language_ids(languages, made.languages(), f"language of {benchmark.name}")
    spoken = ["en"] if made.natural_languages is None else list(made.natural_languages())
    if natural_languages is not None and made.natural_languages is not None:
        for code in natural_languages:
            if code not in spoken:
                raise UnknownNameError(f"natural language of {benchmark.name}", code, spoken)
        spoken = list(dict.fromkeys(natural_languages))
    split = split or benchmark.default_split
    parts = benchmark.splits if split == ALL else {split: benchmark.splits[split]}
    problems: list[Problem] = []
    for language_id in ids or made.default_languages or made.languages():
        room: dict[str, int | None] = dict.fromkeys(spoken, limit)
        for name, numbers in parts.items():
            for code in spoken:
                left = room[code]
                found = made.problems(language_id, code, name, numbers if left is None else numbers[:left])
                room[code] = None if left is None else left - len(found)
                problems += found
    _refuse_repeats(benchmark.name, problems)
    return problems


def _numbers(benchmark: Benchmark, split: str) -> range | None:
    """Task numbers of a split; None for all."""
    if split == ALL:
        return None
    if split not in benchmark.splits:
        raise UnknownNameError(f"split of {benchmark.name}", split, (ALL, *benchmark.splits))
    return benchmark.splits[split]


def _number(problem: Problem) -> int:
    digits = re.search(r"\d+$", problem.task_id)
    return int(digits.group()) if digits else -1


def _keys(benchmark: Benchmark, languages: Sequence[str] | None, local: Path | None) -> list[str]:
    """Keys of the sources to read."""
    known = list(benchmark.sources)
    if known == [ANY_LANGUAGE]:
        return known
    asked = _language_ids(languages, known, f"language of {benchmark.name}")
    keys = asked or _available(benchmark, local)
    if local is not None and local.is_file() and len(keys) > 1:
        raise ConfigError(
            f"{local} is one file, and {benchmark.name} has one per language. "
            f"Name its language with --languages, or the folder that holds all of them ({', '.join(keys)})."
        )
    return keys


def _language_ids(names: Sequence[str] | None, known: Sequence[str], kind: str) -> list[str]:
    """Ids of the languages asked for by id, name or alias; empty where none is."""
    ids: dict[str, None] = {}
    for name in names or ():
        try:
            language_id = spec.get(name).id
        except UnknownNameError:
            language_id = name
        if language_id not in known:
            raise UnknownNameError(kind, name, known)
        ids[language_id] = None
    return list(ids)


def _available(benchmark: Benchmark, local: Path | None) -> list[str]:
    """Languages whose data can be had; all of them where none can, so that reading says what is missing."""
    there = [
        key
        for key, source in benchmark.sources.items()
        if (source.hub if local is None else locate(source, local, folder=benchmark.name))
    ]
    absent = [key for key in benchmark.sources if key not in there]
    if there and absent:
        place = "the Hugging Face hub" if local is None else local
        _log.warning("%s: no data for %s in %s; left out.", benchmark.name, ", ".join(absent), place)
    return there or absent


def _build(benchmark: Benchmark, key: str, rows: Iterable[Row]) -> list[Problem]:
    """A problem of each row, or one error with the mistakes of all rows."""
    build = benchmark.problem
    if build is None:
        raise TypeError(f"the benchmark {benchmark.name} neither reads nor makes problems")
    problems: list[Problem] = []
    mistakes: list[str] = []
    for row in rows:
        try:
            problems.append(build(key, row))
        except ValidationError as error:
            mistakes.append(explain(error, f"{row.where},"))
        except DataError as error:
            mistakes.append(str(error))
    if mistakes:
        more = f"\n... and {len(mistakes) - 10} more rows" if len(mistakes) > 10 else ""
        raise DataError("\n".join(mistakes[:10]) + more)
    return problems


def _chosen(problems: list[Problem], languages: Sequence[str] | None, limit: int | None) -> list[Problem]:
    """Problems that name their own language, cut to the languages and to `limit` of each."""
    known = sorted({problem.language_id for problem in problems})
    asked = _language_ids(languages, known, "language of these problems")
    room = dict.fromkeys(asked or known, len(problems) if limit is None else limit)
    chosen = []
    for problem in problems:
        if room.get(problem.language_id, 0) > 0:
            room[problem.language_id] -= 1
            chosen.append(problem)
    return chosen


def _refuse_repeats(name: str, problems: Sequence[Problem]) -> None:
    repeated = [task_id for task_id, count in Counter(problem.task_id for problem in problems).items() if count > 1]
    if repeated:
        raise DataError(
            f"{name}: {len(repeated)} task ids occur more than once, first {', '.join(repeated[:5])}. "
            "Each must name one problem."
        )
