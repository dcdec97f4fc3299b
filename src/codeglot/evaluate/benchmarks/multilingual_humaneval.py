"""Multilingual HumanEval: HumanEval converted into eleven more languages by program, in the form of MBXP.

Only Python has reference answers. The conversion left out a few problems, the same in most languages; the number in
a task id is that of HumanEval. Source: Athiwaratkun et al. 2022, arXiv:2210.14868; data
github.com/amazon-science/mxeval.
"""

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks import humaneval, mbxp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "multilingual_humaneval"

_FILES = {
    "python": "HumanEval.jsonl",
    "java": "HumanEval_java_v1.1.jsonl",
    "javascript": "HumanEval_javascript_v1.1.jsonl",
    "typescript": "HumanEval_typescript_v1.jsonl",
    "csharp": "HumanEval_csharp_v1.jsonl",
    "go": "HumanEval_go_v1.jsonl",
    "kotlin": "HumanEval_kotlin_v1.1.jsonl",
    "perl": "HumanEval_perl_v1.1.jsonl",
    "php": "HumanEval_php_v1.1.jsonl",
    "ruby": "HumanEval_ruby_v1.1.jsonl",
    "scala": "HumanEval_scala_v1.1.jsonl",
    "swift": "HumanEval_swift_v1.1.jsonl",
}


def _problem(language_id: str, row: Row) -> Problem:
    number = row.text("task_id").rpartition("/")[2]
    row.text("language")  # which the file of the same name of HumanEval lacks
    return mbxp.build(
        language_id,
        row,
        benchmark=NAME,
        # As in the other languages; on file, those of Python are the ids of HumanEval itself.
        task_id=f"HumanEval_{language_id}/{number}",
        origin=f"{humaneval.NAME}/{number}",
    )


BENCHMARK = Benchmark(
    name=NAME,
    # Below the folder of the benchmark first: next to it, HumanEval.jsonl may be that of HumanEval.
    sources={language_id: Source(files=(f"{NAME}/{file}", file)) for language_id, file in _FILES.items()},
    problem=_problem,
    license="MIT",
    citation="Athiwaratkun et al. 2022, Multi-lingual Evaluation of Code Generation Models, arXiv:2210.14868",
)
