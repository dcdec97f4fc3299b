"""ODEX: requests from Stack Overflow in English, Spanish, Japanese and Russian, each a function of Python.

Only rows whose `library` names nothing beyond the standard library are asked, and none that needs a network. The
prompt is built as the authors build theirs: the request is the function's docstring, tabs are four spaces, and what
stands behind the answer, such as the `return` of its variable, is not shown. Task ids are `ODEX/<code>/<row>`, with the
row of the file, since several rows may come from one question; the question is their origin.
Source: Wang et al. 2022, arXiv:2212.10481; data github.com/zorazrw/odex.
"""

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import humaneval
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "odex"

_CODES = ("en", "es", "ja", "ru")

_STANDARD = frozenset(
    (
        *("argparse", "ast", "base64", "bisect", "builtins", "codecs", "collections", "configparser", "csv"),
        *("ctypes", "datetime", "difflib", "filecmp", "ftplib", "functools", "glob", "hashlib", "heapq"),
        *("http", "inspect", "io", "itertools", "json", "locale", "math", "operator", "os", "pickle", "pprint"),
        *("queue", "random", "re", "shutil", "socket", "sqlite3", "statistics", "string", "struct"),
        *("subprocess", "sys", "time", "unicodedata", "urllib", "warnings", "xml"),
    )
)
"""What rows name that every version of Python from 3.11 on has; `cgi` and `imp` are gone from later ones."""

_UNFIT = {"en": {9, 23, 24, 340, 395}, "ja": {49, 104}, "ru": {40, 75, 98, 157, 216, 230, 236, 249}}
"""Rows that no answer passes in a box: they fetch pages, or their tests import `mock`, which they do not name."""


def _problem(language_id: str, row: Row) -> Problem | None:
    code, entry_point = row.text("part"), row.text("entry_point")
    if not _STANDARD.issuperset(row.lines("library")) or row.number in _UNFIT.get(code, ()):
        return None
    head, line_break, beginning = row.text("prompt").partition("\n")
    tests = "".join(row.lines("test"))
    if not line_break or not tests.strip():
        raise DataError(
            f"{row.where}: a row of {NAME} needs a prompt of two lines and tests; this one has {head!r} and {tests!r}."
        )
    solution = row.optional("canonical_solution")
    request = row.text("intent").replace("\\", "\\\\").replace('"""', '\\"""')
    return Problem(
        task_id=f"ODEX/{code}/{row.number}",
        benchmark=NAME,
        language_id=language_id,
        natural_language=code,
        prompt=_spaced(f'{head}\n\t"""{request}\n\t"""\n{beginning}'),
        entry_point=entry_point,
        tests=f"{_spaced(row.optional('suffix') or '')}{row.text('test_start')}{tests}\ncheck({entry_point})\n",
        canonical_solution=None if solution is None else _spaced(solution),
        stop=(*spec.get(language_id).stop, *humaneval.STOP),
        origin=f"{NAME}/{code}/{row.values.get('task_id')}",
    )


def _spaced(code: str) -> str:
    return code.replace("\t", "    ")


BENCHMARK = Benchmark(
    name=NAME,
    sources={"python": Source(files=("{part}_test.jsonl", "data/{part}_test.jsonl"), parts=_CODES)},
    problem=_problem,
    natural_languages=_CODES,
    license="CC-BY-SA-4.0",
    citation="Wang et al. 2022, Execution-Based Evaluation for Open-Domain Code Generation, arXiv:2212.10481",
)
