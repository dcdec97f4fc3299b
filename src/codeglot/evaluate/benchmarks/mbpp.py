"""MBPP: 974 short Python tasks, each a sentence and three assertions.

The prompt is a docstring with the sentence and the assertions, as the field asks base models. The task ids on
file are bare numbers; here they are `Mbpp/<number>`. Splits go by number: 1-10 prompting, 11-510 test, 511-600
validation, 601-974 training. Source: Austin et al. 2021, arXiv:2108.07732.
"""

import ast
import re
from collections.abc import Sequence

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Limits, Problem

NAME = "mbpp"

SPLITS = {"prompt": range(1, 11), "test": range(11, 511), "validation": range(511, 601), "train": range(601, 975)}

STOP = ("\nassert ", "\nprint(", '\n"""', "\nif __name__", "\n```")
"""The answer is a whole program, so neither a class nor a function ends it."""

_SLOW = {123: Limits(cpu_s=30.0)}
"""Tasks whose reference answer alone needs about the default limit."""

CITATION = "Austin et al. 2021, Program Synthesis with Large Language Models, arXiv:2108.07732"

_SPLIT_FILES = ("prompt", "test", "validation", "train")


def _problem(language_id: str, row: Row) -> Problem:
    return build(language_id, row, benchmark=NAME, prefix="Mbpp", setup_after=row.optional("test_setup_code") or "")


def build(language_id: str, row: Row, *, benchmark: str, prefix: str, setup_after: str) -> Problem:
    """One problem of MBPP or of its sanitized part.

    Args:
        language_id: Of the answer.
        row: With `text` or `prompt`, `code`, `task_id`, `test_list`.
        benchmark: Name of the benchmark.
        prefix: Of the task id.
        setup_after: Code between the answer, whose names it may use, and the assertions.
    """
    number = row.values.get("task_id")
    asserts = [_clean(line) for line in row.lines("test_list")]
    if not isinstance(number, int) or not asserts:
        raise DataError(
            f"{row.where}: a row of {benchmark} needs a whole number as task_id and a list of texts as test_list; "
            f"it has {number!r} and {asserts!r}."
        )
    code = row.optional("code")
    return Problem(
        task_id=f"{prefix}/{number}",
        benchmark=benchmark,
        language_id=language_id,
        prompt=_docstring([_clean(row.text("text", "prompt")), *asserts]),
        entry_point=_function_called(asserts[0]),
        tests="\n".join([part for part in (_clean(setup_after),) if part] + asserts) + "\n",
        canonical_solution=_clean(code) + "\n" if code else None,
        stop=STOP,
        limits=_SLOW.get(number),
        origin=f"{NAME}/{number}",
    )


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _docstring(lines: Sequence[str]) -> str:
    """A Python string literal whose text reads as written, so that it is prompt and valid code at once."""
    body = "\n".join(lines)
    raw = "r" if "\\" in body else ""
    return f'{raw}"""\n{body}\n"""\n'


def _function_called(assertion: str) -> str | None:
    """Name of the function under test: the outermost call, but for builtins put around it and functions of modules."""
    try:
        tree = ast.parse(assertion)
    except SyntaxError:
        return None
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    own = [
        name
        for name in calls
        if not re.fullmatch("set|sorted|list|tuple|dict|len|round|str|abs|all|any|sum|int|float|complex", name)
    ]
    return next(iter(own or calls), None)


BENCHMARK = Benchmark(
    name=NAME,
    sources={
        "python": Source(
            files=("mbpp.jsonl",),
            hub="google-research-datasets/mbpp",
            hub_files=tuple(f"full/{split}-00000-of-00001.parquet" for split in _SPLIT_FILES),
        )
    },
    problem=_problem,
    license="CC-BY-4.0",
    citation=CITATION,
    splits=SPLITS,
    default_split="test",
)
