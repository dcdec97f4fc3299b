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
    problem: Callable[[str, Row], Problem | None] | None = None
    """`(language_id, row)` -> problem, or None for a row that is no part of it; None where the problems are made."""
    natural_languages: tuple[str, ...] = ()
    """Codes of the languages of the prompts, where problems in several are read."""
    splits: Mapping[str, range] = MappingProxyType({})
    """Numbers that the task ids of each split end with."""
    default_split: str = ALL
    """The part that the field reports."""
    made: Made | None = None
    """The maker of the problems; None where they are read."""
    left_out: Mapping[str, str] = MappingProxyType({})
    """By id, languages of the published data that are not here, and why."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Ids of its programming languages, or `ANY_LANGUAGE`."""
        return tuple(self.sources if self.made is None else self.made.languages())

    def knows(self, language: str) -> bool:
        """Whether it has problems in a language, given by id, name or alias, or says why not."""
        if ANY_LANGUAGE in self.languages:
            return True
        return _id_of(language) in self.languages or language.strip().lower() in self.left_out

    @property
    def spoken(self) -> tuple[str, ...]:
        """Codes of the languages of the prompts, where one can choose; else empty."""
        if self.made is None or self.made.natural_languages is None:
            return self.natural_languages
        return tuple(self.made.natural_languages())

    @property
    def unknown_languages(self) -> tuple[str, ...]:
        """Those of its languages that no specification describes, so that nothing can be run in them."""
        known = {language.id for language in spec.all_languages()}
        return tuple(key for key in self.sources if key not in known and key != ANY_LANGUAGE)

    @property
    def has_natural_languages(self) -> bool:
        """Whether the language of the prompts can be chosen."""
        return bool(self.spoken)


BENCHMARKS = (
    "humaneval",
    "humaneval_plus",
    "humanevalpack_synthesize",
    "humanevalpack_fix",
    "humaneval_x",
    "mceval",
    "multipl_e",
    "multipl_e_mbpp",
    "mbpp",
    "sanitized_mbpp",
    "mbpp_plus",
    "mbxp",
    "multilingual_humaneval",
    "humaneval_xl",
    "mhumaneval",
    "humaneval_zh",
    "mbpp_zh",
    "mathqa_x",
    "odex",
    "codetrans_from_cpp",
    "codetrans_from_java",
    "codetrans_from_python",
    "micro",
    "micro_nl",
    "problems",
)
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
    spoken = _spoken(benchmark, natural_languages)
    if benchmark.made is not None:
        return _make(benchmark, benchmark.made, languages, spoken or ["en"], (split, limit))
    local = data_folder(data)
    problems: list[Problem] = []
    for key in _keys(benchmark, languages, local):
        rows = read(benchmark.sources[key], local, folder=benchmark.name)
        found = [
            problem
            for problem in _build(benchmark, key, rows)
            if (numbers is None or _number(problem) in numbers) and (not spoken or problem.natural_language in spoken)
        ]
        problems += _first(found if key != ANY_LANGUAGE else _chosen(found, languages), limit)
    if not problems:
        asked = f", asked in {', '.join(natural_languages)}," if spoken and natural_languages else ""
        raise DataError(
            f"{name} has no problem in split '{split or benchmark.default_split}'{asked} of this data; "
            f"use --split {ALL}{' and other natural languages' if asked else ''}."
        )
    _refuse_repeats(name, problems)
    return problems


def _make(
    benchmark: Benchmark,
    made: Made,
    languages: Sequence[str] | None,
    spoken: Sequence[str],
    part: tuple[str | None, int | None],
) -> list[Problem]:
    """The problems that a benchmark makes itself; `part` is the split and the limit."""
    split, limit = part
    ids = _language_ids(languages, made.languages(), f"language of {benchmark.name}")
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


def _spoken(benchmark: Benchmark, asked: Sequence[str] | None) -> list[str]:
    """Codes of the natural languages asked for, all where none is; empty where the benchmark leaves no choice."""
    known = benchmark.spoken
    if asked is None or not known:
        return list(known)
    for code in asked:
        if code not in known:
            raise UnknownNameError(f"natural language of {benchmark.name}", code, known)
    return list(dict.fromkeys(asked))


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
    keys = _runnable(benchmark, languages) or _available(benchmark, local)
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
        language_id = _id_of(name)
        if language_id not in known:
            raise UnknownNameError(kind, name, known)
        ids[language_id] = None
    return list(ids)


def _id_of(language: str) -> str:
    """Id of a language given by id, name or alias; an unknown one as it stands."""
    try:
        return spec.get(language).id
    except UnknownNameError:
        return language


def _runnable(benchmark: Benchmark, languages: Sequence[str] | None) -> list[str]:
    """Keys of the languages that are asked for, each of which codeglot must know how to run; empty where none is."""
    for name in languages or ():
        if reason := benchmark.left_out.get(name.strip().lower()):
            raise ConfigError(f"{benchmark.name} is not run in {name}: {reason}. Leave it out.")
    asked = _language_ids(languages, list(benchmark.sources), f"language of {benchmark.name}")
    if unknown := [key for key in asked if key in benchmark.unknown_languages]:
        raise ConfigError(
            f"{benchmark.name} has problems in {', '.join(unknown)}, which codeglot cannot run yet. Leave those out, "
            f"or describe them in languages/specs, as {unknown[0]}.toml."
        )
    return asked


def _available(benchmark: Benchmark, local: Path | None) -> list[str]:
    """Languages whose data can be had; all of them where none can, so that reading says what is missing."""
    there = [
        key
        for key, source in benchmark.sources.items()
        if key not in benchmark.unknown_languages
        and (source.hub if local is None else locate(source, local, folder=benchmark.name))
    ]
    if cannot := [*benchmark.unknown_languages, *benchmark.left_out]:
        _log.warning("%s: problems in %s are left out, which cannot be run.", benchmark.name, ", ".join(cannot))
    absent = [key for key in benchmark.sources if key not in (*there, *benchmark.unknown_languages)]
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
            if (problem := build(key, row)) is not None:
                problems.append(problem)
        except ValidationError as error:
            mistakes.append(explain(error, f"{row.where},"))
        except DataError as error:
            mistakes.append(str(error))
    if mistakes:
        more = f"\n... and {len(mistakes) - 10} more rows" if len(mistakes) > 10 else ""
        raise DataError("\n".join(mistakes[:10]) + more)
    return problems


def _chosen(problems: list[Problem], languages: Sequence[str] | None) -> list[Problem]:
    """Problems that name their own language, cut to the languages."""
    known = sorted({problem.language_id for problem in problems})
    asked = _language_ids(languages, known, "language of these problems") or known
    return [problem for problem in problems if problem.language_id in asked]


def _first(problems: list[Problem], limit: int | None) -> list[Problem]:
    """The first `limit` problems of each language, and of each natural language."""
    if limit is None:
        return problems
    groups: Counter[tuple[str, str]] = Counter()
    chosen = []
    for problem in problems:
        group = problem.language_id, problem.natural_language
        groups[group] += 1
        if groups[group] <= limit:
            chosen.append(problem)
    return chosen


def _refuse_repeats(name: str, problems: Sequence[Problem]) -> None:
    repeated = [task_id for task_id, count in Counter(problem.task_id for problem in problems).items() if count > 1]
    if repeated:
        raise DataError(
            f"{name}: {len(repeated)} task ids occur more than once, first {', '.join(repeated[:5])}. "
            "Each must name one problem."
        )
