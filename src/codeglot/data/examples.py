"""Where do a run's training examples come from? Rows of any file or hub set, problems with a known answer, or others'.

What is left out is counted and said; a language that was named and has no example is an error.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from string import Formatter
from typing import NamedTuple

from codeglot.data.settings import FILE, HUB, Columns, Data, DataSet, template_columns
from codeglot.data.sources import Row, Source, is_unicode, iter_rows, read
from codeglot.errors import ConfigError, DataError
from codeglot.languages import spec
from codeglot.languages.fences import aliases, blocks
from codeglot.records import Example, Problem

_SHOWN = 10
"""Faulty rows named in one error."""
_NO_TRAINING = re.compile(r"(?i:multipl[-_]e)(?![A-Za-z])|MultiPLE")
"""Names of data whose licence forbids training: the tests of MultiPL-E (BSD 3-Clause with that restriction)."""
_MANY = 5
"""Letters from which on an alias of a language is no common word of prose: golang, but neither node nor rake."""
_LETTER = r"\b(?:[Ii]n|[Uu]se|[Uu]sing) X(?![\w+#'])|(?<![\w.])X (?:code|function|language|program|script)\b"
"""Where a letter, X, is spoken of as a language: a "plan C" is none."""


class LoadedExamples(NamedTuple):
    """Examples of all sources, in their order."""

    examples: list[Example]
    notes: tuple[str, ...]
    """What was left out, one line each, for people."""


class _Incomplete(Exception):  # noqa: N818 - not an error where the settings say so
    """A row that makes no example, and why."""


def load_examples(settings: Data, make: Callable[[DataSet], Iterable[Example]]) -> LoadedExamples:
    """Read every source of a run.

    Args:
        settings: The `[data]` of the run.
        make: Gives the examples of a source that is no file and no hub set: the bundled world, or a benchmark.

    Raises:
        ConfigError: If a source may not be trained on, or its columns are none of the rows'.
        DataError: If rows are missing or incomplete, or a named language has no example.
    """
    examples: list[Example] = []
    notes: list[str] = []
    for number, source in enumerate(settings.sources):
        name = f"data.sources.{number} ({source.dataset})"
        _refuse_forbidden(source, name)
        found = list(_read(source, name, notes) if source.dataset in {FILE, HUB} else make(source))
        found = _chosen(found, source)
        _need_every_language(found, source, name)
        examples += found
    return LoadedExamples(examples, tuple(notes))


def run_languages(settings: Data, examples: Iterable[Example]) -> tuple[str, ...]:
    """The run's programming languages, in the order of `language_ids` 1, 2, ...

    Raises:
        DataError: If `data.languages` names one without an example, or leaves out that of an example.
    """
    there = {example.language_id for example in examples}
    if settings.languages is None:
        return tuple(sorted(there))
    faults = [f"no example is in {name}" for name in settings.languages if name not in there]
    faults += [f"there are examples in {name}, which it leaves out" for name in sorted(there - {*settings.languages})]
    if faults:
        raise DataError(
            f"data.languages = {list(settings.languages)}: {'; '.join(faults)}. Name the languages of the sources, all "
            "of them, or choose some with the `languages` of each source."
        )
    return settings.languages


def from_problem(problem: Problem, license: str | None = None) -> Example | None:  # noqa: A002 - the record's word
    """The training example that a problem and its known answer make; None where it has no answer."""
    if not (problem.canonical_solution or "").strip():
        return None
    return Example(
        prompt=problem.prompt,
        completion=problem.canonical_solution or "",
        prompt_is_code=problem.prompt_is_code,
        language_id=problem.language_id,
        natural_language=problem.natural_language,
        source=f"{problem.benchmark}, task {problem.task_id}",
        license=license,
        origin=problem.root,
    )


def _refuse_forbidden(source: DataSet, name: str) -> None:
    for origin in (str(source.path or ""), source.hub or ""):
        if _NO_TRAINING.search(origin):
            raise ConfigError(
                f"{name}: {origin} is MultiPL-E by its name, and the licence of that data forbids training on it. "
                "Evaluate on it, and train on other data."
            )


def _read(source: DataSet, name: str, notes: list[str]) -> Iterator[Example]:
    """Examples of a file or a hub set; rows that make none are an error, or counted in `notes`."""
    columns = source.columns or Columns()
    unseen = {*template_columns(columns.prompt), *template_columns(columns.completion)}
    unseen |= {column for column in (columns.language_id, columns.natural_language) if column}
    faults: list[str] = []
    num_unclear = 0
    seen: tuple[str, ...] = ()
    for row in _rows(source):
        seen = tuple(row.values)
        unseen.difference_update(seen)
        try:
            example = _example(row, source, columns)
        except _Incomplete as fault:
            faults.append(f"{row.where}: {fault}")
            continue
        num_unclear += example is None
        if example is not None:
            yield example
    if unseen:
        raise ConfigError(
            f"{name}: no row has a column {', '.join(sorted(unseen))}; the columns are {', '.join(seen) or 'none'}. "
            "Set `columns` of this source."
        )
    if faults and source.incomplete == "error":
        more = f"\n  ... and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        listed = "\n".join(f"  {fault}" for fault in faults[:_SHOWN])
        raise DataError(
            f"{name}: {len(faults)} row(s) make no example:\n{listed}{more}\n"
            "Mend them, or leave them out with incomplete = 'drop'."
        )
    if faults:
        notes.append(f"{name}: {len(faults)} incomplete row(s) were left out, the first {faults[0]}.")
    if num_unclear:
        notes.append(f"{name}: {num_unclear} row(s) that name no or several known languages were left out.")


def _rows(source: DataSet) -> Iterator[Row]:
    if source.path is not None:
        return iter_rows(source.path)
    hub = Source(files=source.files, hub=source.hub, hub_files=source.files, revision=source.revision)
    return read(hub, None, folder="", place="with dataset = 'file' and path")


def _example(row: Row, source: DataSet, columns: Columns) -> Example | None:
    """The example of a row; None where its language is to be detected and cannot be told."""
    prompt, completion = _fill(columns.prompt, row), _fill(columns.completion, row)
    for text, column in ((prompt, columns.prompt), (completion, columns.completion)):
        if not text.strip():
            raise _Incomplete(f"no text in {column!r}")
    language_id = _language(row, source, columns, prompt, completion)
    if language_id is None:
        return None
    natural_language = _cell(row, columns.natural_language) if columns.natural_language else source.natural_language
    if len(natural_language) < 2:
        raise _Incomplete(f"no language in '{columns.natural_language}'")
    return Example(
        prompt=prompt,
        completion=completion,
        prompt_is_code=source.prompt_is_code,
        language_id=language_id,
        natural_language=natural_language,
        source=row.where,
        license=source.license,
    )


def _language(row: Row, source: DataSet, columns: Columns, prompt: str, completion: str) -> str | None:
    if columns.language_id is None:
        return source.language_id or detect_language(prompt, completion)
    spelling = _cell(row, columns.language_id)
    language_id = aliases().get(spelling.strip().lower())
    if language_id is None and source.languages is None:
        raise _Incomplete(f"'{columns.language_id}' is {spelling!r:.40}, no language that codeglot knows")
    return language_id


def detect_language(prompt: str, completion: str) -> str | None:
    """The language of an answer: that of its fences, else the only one that the prompt names; None if not clear."""
    tagged = {block.language_id for block in blocks(completion)} - {None}
    found = tagged or {language_id for language_id, names in _names() if names.search(prompt)}
    return found.pop() if len(found) == 1 else None


@cache
def _names() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """How prose names each language: as its name and id are written (Go, but not go), and by its clear aliases."""
    patterns = []
    for language in spec.all_languages():
        is_letter = len(language.name) == 1
        exact = [] if is_letter else [language.name, *([language.id] if len(language.id) >= _MANY - 1 else ())]
        clear = [word for word in sorted(language.spellings) if len(word) >= _MANY or not word.isalpha()]
        words = "|".join([*map(re.escape, exact), *(f"(?i:{re.escape(word)})" for word in clear)])
        forms = [rf"(?<![\w.])(?:{words})(?![\w+#])"] if words else []
        forms += [_LETTER.replace("X", language.name)] if is_letter else []
        patterns.append((language.id, re.compile("|".join(forms))))
    return tuple(patterns)


def _fill(template: str, row: Row) -> str:
    """The text that a template makes of a row, without the paragraphs whose columns are all empty."""
    if "{" not in template and "}" not in template:
        return _cell(row, template)
    paragraphs = []
    for paragraph in template.split("\n\n"):
        pieces = [(text, name) for text, name, _, _ in Formatter().parse(paragraph)]
        cells = [_cell(row, name) if name else "" for _, name in pieces]
        if any(name for _, name in pieces) and not any(cell.strip() for cell in cells):
            continue
        paragraphs.append("".join(text + cell for (text, _), cell in zip(pieces, cells, strict=True)))
    return "\n\n".join(paragraphs)


def _cell(row: Row, name: str) -> str:
    """The text of a column; empty where it is missing, null or NaN."""
    value = row.values.get(name)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not isinstance(value, str):
        raise _Incomplete(f"'{name}' must be text; it is {value!r:.40}")
    if not is_unicode(value):
        raise _Incomplete(f"'{name}' holds half a character (\\ud800 to \\udfff), which no tokenizer takes")
    return value


def _chosen(examples: Sequence[Example], source: DataSet) -> list[Example]:
    """The examples of the languages that were asked for, the first `num_examples` of each."""
    counts: Counter[str] = Counter()
    chosen = []
    for example in examples:
        if source.languages is not None and example.language_id not in source.languages:
            continue
        if source.natural_languages is not None and example.natural_language not in source.natural_languages:
            continue
        counts[example.language_id] += 1
        if source.num_examples is None or counts[example.language_id] <= source.num_examples:
            chosen.append(example)
    return chosen


def _need_every_language(examples: Sequence[Example], source: DataSet, name: str) -> None:
    there = {example.language_id for example in examples}
    prose = {example.natural_language for example in examples}
    absent = [language_id for language_id in source.languages or () if language_id not in there]
    absent += [code for code in source.natural_languages or () if code not in prose]
    if absent:
        raise DataError(
            f"{name} has no example in {', '.join(absent)}; there are some in {', '.join(sorted(there)) or 'none'}. "
            "Take these languages out of the source, or give it rows of theirs."
        )
    if not examples:
        raise DataError(f"{name} has no example at all. Give a source that has some, or take it out.")
