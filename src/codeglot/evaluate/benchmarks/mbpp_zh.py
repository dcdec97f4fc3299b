"""MBPP-X: the 500 test tasks of MBPP with their sentence in Chinese.

Asked as MBPP is, by a docstring with the sentence and the assertions. Task ids are `MbppZh/<number>`, with the numbers
of MBPP. Source: Di et al. 2023, arXiv:2310.06266; data github.com/codefuse-ai/codefuse-evaluation.
"""

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import mbpp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "mbpp_zh"

CITATION = "Di et al. 2023, CodeFuse-13B: A Pretrained Multi-lingual Code Large Language Model, arXiv:2310.06266"


def _problem(language_id: str, row: Row) -> Problem:
    number = row.text("task_id").rpartition("/")[2]
    if not number.isdecimal():
        raise DataError(f"{row.where}: the task ids of {NAME} end in the number of MBPP; this one is {number!r}.")
    as_mbpp = {
        "task_id": int(number),
        "text": row.text("prompt_text_chinese"),
        "code": row.optional("canonical_solution"),
        "test_list": row.lines("test"),
    }
    problem = mbpp.build(
        language_id,
        row._replace(values=as_mbpp),
        benchmark=NAME,
        prefix="MbppZh",
        setup_after=row.optional("test_setup") or "",
    )
    return problem.model_copy(update={"natural_language": "zh"})


BENCHMARK = Benchmark(
    name=NAME,
    sources={"python": Source(files=("mbpp_x.jsonl", "codefuseEval/data/nl2code/mbpp_x.jsonl"))},
    problem=_problem,
    license="Apache-2.0 AND CC-BY-4.0",
    citation=CITATION,
    splits={name: mbpp.SPLITS[name] for name in ("test", "validation")},  # its licence is for evaluation
    default_split="test",
)
