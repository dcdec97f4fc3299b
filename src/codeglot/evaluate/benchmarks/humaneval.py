"""HumanEval: 164 hand-written Python functions to be completed from signature and docstring.

Source: Chen et al. 2021, arXiv:2107.03374; data github.com/openai/human-eval.
"""

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "humaneval"

STOP = ("\ndef ", "\n#", "\nif ")
"""What also ends an answer here, where the function asked for is the last of its program."""


def _problem(language_id: str, row: Row) -> Problem:
    entry_point, task_id = row.text("entry_point"), row.text("task_id")
    return Problem(
        task_id=task_id,
        benchmark=NAME,
        language_id=language_id,
        prompt=row.text("prompt"),
        entry_point=entry_point,
        tests=f"{row.text('test')}\ncheck({entry_point})\n",
        canonical_solution=row.optional("canonical_solution"),
        stop=(*spec.get(language_id).stop, *STOP),
        origin=f"{NAME}/{task_id.rpartition('/')[2]}",
    )


BENCHMARK = Benchmark(
    name=NAME,
    sources={
        "python": Source(
            files=("HumanEval.jsonl", "human-eval-v2-20210705.jsonl"),
            hub="openai/openai_humaneval",
            hub_files=("openai_humaneval/test-00000-of-00001.parquet",),
        )
    },
    problem=_problem,
    license="MIT",
    citation="Chen et al. 2021, Evaluating Large Language Models Trained on Code, arXiv:2107.03374",
)
