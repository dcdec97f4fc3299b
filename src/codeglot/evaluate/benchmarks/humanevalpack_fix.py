"""HumanEvalFix: mend a function with a fault put in by hand, in six languages.

The variant is that with tests, which the field reports as HumanEvalFix: a model sees the faulty function without its
docstring, and the tests, the same that judge it. (In the other one, HumanEvalFixDocs, the docstring takes their place.)
"""

from codeglot.data.sources import Row
from codeglot.evaluate.benchmarks import humanevalpack
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "humanevalpack_fix"


def _problem(language_id: str, row: Row) -> Problem:
    shown = humanevalpack.declaration(language_id, row)
    context = f"{shown}{row.text('buggy_solution')}\n{row.text('test')}"
    prompt = f"{context}\nFix bugs in {row.text('entry_point')}.\n\n{shown}"
    return humanevalpack.build(language_id, row, humanevalpack.Task(NAME, "HumanEvalFix", prompt, shown))


BENCHMARK = Benchmark(
    name=NAME,
    sources=humanevalpack.SOURCES,
    problem=_problem,
    license=humanevalpack.LICENSE,
    citation=humanevalpack.CITATION,
)
