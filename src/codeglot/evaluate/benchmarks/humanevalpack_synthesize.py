"""HumanEvalSynthesize: write the function that an instruction describes, in six languages.

The prompt is the published one for models that follow instructions (instruction, then signature and docstring), which
the field also asks base models. Where only signature and docstring are wanted, `humaneval_x` has about the same ones.
"""

from codeglot.data.sources import Row
from codeglot.evaluate.benchmarks import humanevalpack
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "humanevalpack_synthesize"


def _problem(language_id: str, row: Row) -> Problem:
    shown = row.text("prompt")
    prompt = f"{row.text('instruction').strip()}\n\n{shown}"
    return humanevalpack.build(language_id, row, humanevalpack.Task(NAME, "HumanEvalSynthesize", prompt, shown))


BENCHMARK = Benchmark(
    name=NAME,
    sources=humanevalpack.SOURCES,
    problem=_problem,
    license=humanevalpack.LICENSE,
    citation=humanevalpack.CITATION,
)
