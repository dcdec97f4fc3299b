"""MathQA-X: word problems with numbers, each a function without arguments whose result is compared.

Only Python has reference answers. Source: Athiwaratkun et al. 2022, arXiv:2210.14868, from MathQA (Amini et al. 2019,
arXiv:1905.13319); data github.com/amazon-science/mxeval.
"""

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks import mbxp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "mathqa_x"


def _problem(language_id: str, row: Row) -> Problem:
    number = row.text("task_id").rpartition("/")[2]
    return mbxp.build(
        language_id, row, benchmark=NAME, task_id=f"MathQA_{language_id}/{number}", origin=f"mathqa/{number}"
    )


BENCHMARK = Benchmark(
    name=NAME,
    sources={
        language_id: Source(files=(f"mathqa-test-{language_id}_v1.jsonl",))
        for language_id in ("python", "java", "javascript")
    },
    problem=_problem,
    license="CC-BY-4.0",
    citation="Athiwaratkun et al. 2022, Multi-lingual Evaluation of Code Generation Models, arXiv:2210.14868; "
    "Amini et al. 2019, MathQA, arXiv:1905.13319",
)
