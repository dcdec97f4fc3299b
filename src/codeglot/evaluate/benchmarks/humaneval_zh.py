"""HumanEval with its docstrings in Chinese, for Python, from CodeFuseEval.

Source: Di et al. 2023, arXiv:2310.06266; data github.com/codefuse-ai/codefuse-evaluation, humaneval_python_cn.
"""

import re

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import humaneval, mbpp_zh
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "humaneval_zh"

_FILE = "humaneval_python_cn.jsonl"


def _problem(language_id: str, row: Row) -> Problem:
    number = row.text("task_id").rpartition("/")[2]
    functions = re.findall(r"^def (\w+)", row.text("declaration"), re.MULTILINE)
    if not functions:
        raise DataError(f"{row.where}: the declaration of task {number} of {NAME} declares no function.")
    return Problem(
        task_id=f"HumanEvalZh/{number}",
        benchmark=NAME,
        language_id=language_id,
        natural_language="zh",
        prompt=row.text("prompt") + "\n",  # on file, prompts end with the quotes, and answers start with a line
        entry_point=functions[-1],
        tests=row.text("test"),
        canonical_solution=row.optional("canonical_solution"),
        stop=(*spec.get(language_id).stop, *humaneval.STOP),
        origin=f"{humaneval.NAME}/{number}",
    )


BENCHMARK = Benchmark(
    name=NAME,
    sources={
        "python": Source(files=(_FILE, f"{mbpp_zh.NAME}/{_FILE}", f"codefuseEval/data/code_completion/{_FILE}")),
    },
    problem=_problem,
    license="Apache-2.0 AND MIT",
    citation=mbpp_zh.CITATION,
)
